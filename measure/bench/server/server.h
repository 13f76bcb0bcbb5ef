/* The load server's parts and what they share. It stands in for APNs and FCM while senders are measured:
 * whole requests get an answer, others a refusal, and all are counted. */

#ifndef FANFARE_BENCH_SERVER_H
#define FANFARE_BENCH_SERVER_H

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
  const char *chain, *key;
  bool record_per_answer;   /* else a TLS record is filled with as many answers as there are */
  uint32_t most_streams;    /* SETTINGS_MAX_CONCURRENT_STREAMS */
  unsigned delay_from_ms, delay_to_ms; /* each answer waits so long, evenly distributed */
  size_t least_body;        /* a shorter body is refused */
};

struct counts {
  uint64_t executed, refused;
};

extern struct options options;
extern struct counts counts;

/* connection.c: one TLS connection. All return false when it is at its end. */

struct connection {
  SSL *ssl;
  BIO *outgoing;            /* TLS records that wait for the socket */
  nghttp2_session *session;
  struct request *made;     /* all requests that it has memory for */
  struct request *spare;    /* those of them that were answered, to be used again */
  unsigned delayed;         /* answers that the timers still hold */
  int socket;
  bool ended, wants_write, touched;
};

struct connection *connection_of(int socket, SSL_CTX *tls);
bool connection_read(struct connection *);
bool connection_write(struct connection *);
void connection_end(struct connection *);

/* exchange.c: requests and answers on a connection's HTTP/2 session. */

nghttp2_session *exchange_begin(struct connection *);
void exchange_answer(struct connection *, int32_t stream_id);
void exchange_end(struct connection *);

/* timers.c: answers that are due later, in a heap. */

struct timer {
  int64_t due_us;
  struct connection *connection;
  int32_t stream_id;
};

int64_t now_us(void);
void timers_add(struct timer);
const struct timer *timers_next(void); /* the first that is due, or NULL where there is none */
void timers_drop_next(void);
uint64_t random_bits(void);

#endif
