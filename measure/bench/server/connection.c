/* One TLS connection: bytes from the socket to the HTTP/2 session, and its frames back in TLS records. */

#include "server.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD 16384
#define FRAME_HEADER 9
#define END_STREAM 0x1

struct connection *connection_of(int socket, SSL_CTX *tls) {
  struct connection *connection = calloc(1, sizeof *connection);
  if (!connection) abort();
  connection->socket = socket;
  connection->ssl = SSL_new(tls);
  connection->outgoing = BIO_new(BIO_s_mem());
  if (!connection->ssl || !connection->outgoing) abort();
  SSL_set0_rbio(connection->ssl, BIO_new_socket(socket, BIO_NOCLOSE));
  SSL_set0_wbio(connection->ssl, connection->outgoing);
  SSL_set_accept_state(connection->ssl);
  connection->session = exchange_begin(connection);
  return connection;
}

bool connection_read(struct connection *connection) {
  static uint8_t data[RECORD];
  int length;
  /* What may come before an answer is bounded by the limit of streams. */
  while ((length = SSL_read(connection->ssl, data, sizeof data)) > 0)
    if (nghttp2_session_mem_recv(connection->session, data, (size_t)length) != length) return false;
  bool more_may_come = SSL_get_error(connection->ssl, length) == SSL_ERROR_WANT_READ;
  ERR_clear_error();
  return more_may_come;
}

static bool flush(struct connection *connection) {
  char *data;
  long length = BIO_get_mem_data(connection->outgoing, &data);
  long gone = 0;
  while (gone < length) {
    ssize_t sent = send(connection->socket, data + gone, (size_t)(length - gone), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) break;
    gone += sent;
  }
  connection->wants_write = gone < length;
  if (!connection->wants_write) {
    (void)BIO_reset(connection->outgoing);
    return true;
  }
  static uint8_t dropped[RECORD];
  for (long left = gone; left > 0;) {
    int taken = BIO_read(connection->outgoing, dropped, left < RECORD ? (int)left : RECORD);
    if (taken <= 0) abort();
    left -= taken;
  }
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

static bool encrypt(struct connection *connection, const uint8_t *data, size_t length) {
  return !length || SSL_write(connection->ssl, data, (int)length) > 0; /* into memory: all or an error */
}

/* What mem_send hands out is one frame; an answer's last one says so in its header. */
static bool ends_answer(const uint8_t *frame) {
  return (frame[3] == NGHTTP2_HEADERS || frame[3] == NGHTTP2_DATA) && (frame[4] & END_STREAM);
}

bool connection_write(struct connection *connection) {
  static uint8_t record[2 * RECORD];
  size_t held = 0;
  if (connection->ended) return false;
  while (!connection->wants_write && SSL_is_init_finished(connection->ssl)) {
    const uint8_t *frame;
    ssize_t length = nghttp2_session_mem_send(connection->session, &frame);
    if (length < 0) return false;
    if (length == 0) break;
    if (held + (size_t)length > RECORD) {
      if (!encrypt(connection, record, held)) return false;
      held = 0;
    }
    memcpy(record + held, frame, (size_t)length);
    held += (size_t)length;
    if (options.record_per_answer && length >= FRAME_HEADER && ends_answer(frame)) {
      if (!encrypt(connection, record, held)) return false;
      held = 0;
    }
  }
  if (!encrypt(connection, record, held) || !flush(connection)) return false;
  return nghttp2_session_want_read(connection->session) || nghttp2_session_want_write(connection->session);
}

void connection_end(struct connection *connection) {
  exchange_end(connection);
  SSL_free(connection->ssl);
  close(connection->socket);
  free(connection);
}
