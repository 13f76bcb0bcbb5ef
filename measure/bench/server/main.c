/* The load server of `make bench`: HTTP/2 over TLS 1.3 on 127.0.0.1, one thread. Says its port in the first line
 * it prints, and in the last, after SIGTERM, what it did, as JSON. */

#define _GNU_SOURCE
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64
#define MOST_CONNECTIONS 1024
#define READ_BUFFER (4 * 16384)
#define KEPT_MEMORY (32 << 20)

struct options options = {.most_streams = 1000};
struct counts counts;

static volatile sig_atomic_t stopped;
static struct connection *touched[MOST_CONNECTIONS]; /* by timers, since they were last written */
static size_t touched_count;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static void fail(const char *what) {
  fprintf(stderr, "load server: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
                     unsigned in_length, void *user) {
  (void)ssl, (void)user;
  static const unsigned char wanted[] = "\x02h2";
  if (SSL_select_next_proto((unsigned char **)out, out_length, wanted, 3, in, in_length) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *tls_context(void) {
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  if (!tls || SSL_CTX_use_certificate_chain_file(tls, options.chain) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls, options.key, SSL_FILETYPE_PEM) != 1) {
    fprintf(stderr, "load server: the certificate or its key cannot be read\n");
    exit(1);
  }
  SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
  SSL_CTX_set_num_tickets(tls, 0);
  SSL_CTX_set_alpn_select_cb(tls, choose_h2, NULL);
  SSL_CTX_set_read_ahead(tls, 1);
  SSL_CTX_set_default_read_buffer_len(tls, READ_BUFFER);
  return tls;
}

static int listener(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listening < 0 || bind(listening, (struct sockaddr *)&address, length) || listen(listening, 128) ||
      getsockname(listening, (struct sockaddr *)&address, &length))
    fail("listening");
  printf("{\"port\": %d}\n", ntohs(address.sin_port));
  fflush(stdout);
  return listening;
}

static void watch(int epoll, struct connection *connection, int operation) {
  struct epoll_event event = {.events = EPOLLIN | (connection->wants_write ? EPOLLOUT : 0),
                              .data.ptr = connection};
  if (epoll_ctl(epoll, operation, connection->socket, &event)) fail("epoll");
}

static void accept_all(int epoll, int listening, SSL_CTX *tls) {
  for (;;) {
    int socket = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    watch(epoll, connection_of(socket, tls), EPOLL_CTL_ADD);
  }
}

/* A connection that ended lives on, unwatched, until no timer names it. */
static void settle(int epoll, struct connection *connection) {
  bool waited = connection->wants_write;
  if (!connection->ended && !connection_write(connection)) connection->ended = true;
  if (!connection->ended) {
    if (connection->wants_write != waited) watch(epoll, connection, EPOLL_CTL_MOD);
    return;
  }
  epoll_ctl(epoll, EPOLL_CTL_DEL, connection->socket, NULL);
  if (!connection->delayed) connection_end(connection);
}

static int answer_due(int epoll) {
  const struct timer *next;
  int64_t now = timers_next() ? now_us() : 0;
  while ((next = timers_next()) && next->due_us <= now && touched_count < MOST_CONNECTIONS) {
    struct connection *connection = next->connection;
    connection->delayed--;
    if (!connection->ended) exchange_answer(connection, next->stream_id);
    if (!connection->touched) touched[touched_count++] = connection;
    connection->touched = true;
    timers_drop_next();
  }
  for (size_t i = 0; i < touched_count; i++) {
    touched[i]->touched = false;
    settle(epoll, touched[i]);
  }
  touched_count = 0;
  if (!next) return -1;
  return next->due_us <= now ? 0 : (int)((next->due_us - now + 999) / 1000);
}

static void serve(int listening, SSL_CTX *tls, const sigset_t *while_waiting) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event events[EVENTS] = {{.events = EPOLLIN}};
  if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &events[0])) fail("epoll");
  while (!stopped) {
    int count = epoll_pwait(epoll, events, EVENTS, answer_due(epoll), while_waiting);
    for (int i = 0; i < count; i++) {
      struct connection *connection = events[i].data.ptr;
      if (!connection) {
        accept_all(epoll, listening, tls);
        continue;
      }
      if (!connection_read(connection)) connection->ended = true;
      settle(epoll, connection);
    }
  }
}

static void read_options(int count, char **words) {
  static const struct option known[] = {
      {"chain", required_argument, NULL, 'c'},      {"key", required_argument, NULL, 'k'},
      {"streams", required_argument, NULL, 's'},    {"delay-from", required_argument, NULL, 'f'},
      {"delay-to", required_argument, NULL, 't'},   {"least-body", required_argument, NULL, 'b'},
      {"record-per-answer", no_argument, NULL, 'r'}, {0}};
  for (int letter; (letter = getopt_long(count, words, "", known, NULL)) != -1;) {
    switch (letter) {
    case 'c': options.chain = optarg; break;
    case 'k': options.key = optarg; break;
    case 's': options.most_streams = (uint32_t)strtoul(optarg, NULL, 10); break;
    case 'f': options.delay_from_ms = (unsigned)strtoul(optarg, NULL, 10); break;
    case 't': options.delay_to_ms = (unsigned)strtoul(optarg, NULL, 10); break;
    case 'b': options.least_body = strtoul(optarg, NULL, 10); break;
    case 'r': options.record_per_answer = true; break;
    default: exit(2);
    }
  }
  if (!options.chain || !options.key || options.delay_from_ms > options.delay_to_ms) {
    fprintf(stderr, "load server: --chain and --key are needed, and --delay-from is at most --delay-to\n");
    exit(2);
  }
}

static double cpu_s(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **words) {
  double used_before = cpu_s(); /* by whoever became this process */
  read_options(count, words);
  struct sigaction action = {.sa_handler = stop};
  sigset_t ending, before;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  sigprocmask(SIG_BLOCK, &ending, &before); /* heard while waiting only, so that none comes just before it */
  mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY); /* the next answers need again what these gave back */
  mallopt(M_MMAP_THRESHOLD, KEPT_MEMORY);
  SSL_CTX *tls = tls_context();
  serve(listener(), tls, &before);
  printf("{\"executed\": %llu, \"refused\": %llu, \"cpu_s\": %.3f}\n", (unsigned long long)counts.executed,
         (unsigned long long)counts.refused, cpu_s() - used_before);
  return 0;
}
