/* Requests and answers. nghttp2 holds both sides to HTTP/2; here a request is held to the networks' contract,
 * so that a sender which leaves something out cannot win. */

#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BODY 4096
#define UUID_LENGTH 36
#define CONNECTION_WINDOW (1 << 24)

struct request {
  struct request *next_made, *next_spare;
  nghttp2_rcbuf *path, *apns_id;
  const char *wrong;        /* what the answer's body says, if it is no success */
  uint8_t id[UUID_LENGTH];  /* of the answer */
  size_t body;
  uint8_t first, last;      /* of the body */
  bool post, authorized, topic;
};

static bool is(const uint8_t *text, size_t length, const char *wanted) {
  return length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}

static bool begins(nghttp2_vec text, const char *wanted) {
  return text.len >= strlen(wanted) && memcmp(text.base, wanted, strlen(wanted)) == 0;
}

static bool ends(nghttp2_vec text, const char *wanted) {
  size_t length = strlen(wanted);
  return text.len >= length && memcmp(text.base + text.len - length, wanted, length) == 0;
}

static bool is_hex(const uint8_t *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    uint8_t digit = text[i];
    if (!((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'))) return false;
  }
  return true;
}

static bool to_device(nghttp2_vec path) {
  const size_t prefix = strlen("/3/device/");
  return path.len == prefix + 64 && begins(path, "/3/device/") && is_hex(path.base + prefix, 64);
}

static bool to_project(nghttp2_vec path) {
  return begins(path, "/v1/projects/") && ends(path, "/messages:send");
}

/* Receiving */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  struct connection *connection = user;
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  struct request *request = connection->spare;
  if (request) {
    connection->spare = request->next_spare;
  } else {
    if (!(request = malloc(sizeof *request))) abort();
    request->next_made = connection->made;
    connection->made = request;
  }
  *request = (struct request){.next_made = request->next_made};
  nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, request);
  return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *user) {
  (void)flags, (void)user;
  struct request *request = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!request) return 0;
  nghttp2_vec key = nghttp2_rcbuf_get_buf(name), text = nghttp2_rcbuf_get_buf(value);
  if (is(key.base, key.len, ":method")) {
    request->post = is(text.base, text.len, "POST");
  } else if (is(key.base, key.len, ":path")) {
    nghttp2_rcbuf_incref(value);
    request->path = value;
  } else if (is(key.base, key.len, "authorization")) {
    request->authorized = text.len > 40 && (begins(text, "bearer ") || begins(text, "Bearer "));
  } else if (is(key.base, key.len, "apns-topic")) {
    request->topic = text.len > 0;
  } else if (is(key.base, key.len, "apns-id") && text.len == UUID_LENGTH && !request->apns_id) {
    nghttp2_rcbuf_incref(value);
    request->apns_id = value;
  }
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t length, void *user) {
  (void)flags, (void)user;
  struct request *request = nghttp2_session_get_stream_user_data(session, stream_id);
  if (!request || !length) return 0;
  if (!request->body) request->first = data[0];
  request->last = data[length - 1];
  request->body += length;
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  struct connection *connection = user;
  if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
      !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
    return 0;
  struct request *request = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!request) return 0;
  if (!options.delay_to_ms) {
    exchange_answer(connection, frame->hd.stream_id);
    return 0;
  }
  uint64_t spread_us = 1000 * (uint64_t)(options.delay_to_ms - options.delay_from_ms) + 1;
  int64_t delay_us = 1000 * (int64_t)options.delay_from_ms + (int64_t)(random_bits() % spread_us);
  connection->delayed++;
  timers_add((struct timer){now_us() + delay_us, connection, frame->hd.stream_id});
  return 0;
}

static void forget_headers(struct request *request) {
  if (request->path) nghttp2_rcbuf_decref(request->path);
  if (request->apns_id) nghttp2_rcbuf_decref(request->apns_id);
  request->path = request->apns_id = NULL;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error, void *user) {
  (void)error;
  struct connection *connection = user;
  struct request *request = nghttp2_session_get_stream_user_data(session, stream_id);
  if (!request) return 0;
  forget_headers(request);
  request->next_spare = connection->spare;
  connection->spare = request;
  return 0;
}

/* Answering */

static void write_uuid(uint8_t *text) {
  static const char digits[] = "0123456789abcdef";
  uint64_t bits[2] = {random_bits(), random_bits()};
  for (int place = 0, nibble = 0; place < UUID_LENGTH; place++) {
    if (place == 8 || place == 13 || place == 18 || place == 23) {
      text[place] = '-';
      continue;
    }
    text[place] = (uint8_t)digits[bits[nibble / 16] >> 4 * (nibble % 16) & 15];
    nibble++;
  }
  text[14] = '4';
  text[19] = (uint8_t)"89ab"[bits[0] & 3];
}

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *buffer, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user) {
  (void)session, (void)stream_id, (void)user;
  const struct request *request = source->ptr;
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  /* Far below the least that a frame has room for. */
  if (request->wrong) return snprintf((char *)buffer, room, "{\"reason\":\"%s\"}", request->wrong);
  return snprintf((char *)buffer, room, "{\n  \"name\": \"projects/bench/messages/%.*s\"\n}\n", UUID_LENGTH,
                  request->id);
}

static void submit(struct connection *connection, int32_t stream_id, struct request *request, bool has_body) {
  nghttp2_nv headers[] = {
      {(uint8_t *)":status", (uint8_t *)(request->wrong ? "400" : "200"), 7, 3, NGHTTP2_NV_FLAG_NO_COPY_NAME},
      /* Never the same twice: as a literal it does not drive anything out of the other side's table. */
      {(uint8_t *)"apns-id", request->id, 7, UUID_LENGTH, NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_INDEX},
      {(uint8_t *)"content-type", (uint8_t *)"application/json", 12, 16, NGHTTP2_NV_FLAG_NO_COPY_NAME},
  };
  nghttp2_data_provider body = {{.ptr = request}, read_body};
  nghttp2_submit_response(connection->session, stream_id, headers, has_body ? 3 : 2, has_body ? &body : NULL);
}

static const char *complaint(const struct request *request, nghttp2_vec path) {
  if (!request->post) return "MethodNotAllowed";
  if (!to_device(path) && !to_project(path)) return "BadPath";
  if (!request->authorized) return "MissingProviderToken";
  if (to_device(path) && !request->topic) return "MissingTopic";
  if (request->body < options.least_body || !request->body) return "PayloadEmpty";
  if (request->body > MOST_BODY) return "PayloadTooLarge";
  if (request->first != '{' || request->last != '}') return "BadPayload";
  return NULL;
}

void exchange_answer(struct connection *connection, int32_t stream_id) {
  struct request *request = nghttp2_session_get_stream_user_data(connection->session, stream_id);
  if (!request) return; /* it was reset meanwhile */
  nghttp2_vec path = {0};
  if (request->path) path = nghttp2_rcbuf_get_buf(request->path);
  if (request->apns_id) /* APNs gives back what it was given */
    memcpy(request->id, nghttp2_rcbuf_get_buf(request->apns_id).base, UUID_LENGTH);
  else
    write_uuid(request->id);
  request->wrong = complaint(request, path);
  if (request->wrong)
    counts.refused++;
  else
    counts.executed++;
  submit(connection, stream_id, request, request->wrong || to_project(path));
}

nghttp2_session *exchange_begin(struct connection *connection) {
  nghttp2_session_callbacks *callbacks;
  nghttp2_option *option;
  nghttp2_session *session = NULL;
  if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option)) abort();
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_session_server_new2(&session, callbacks, connection, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  if (!session) abort();
  nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.most_streams}};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 1);
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
  return session;
}

void exchange_end(struct connection *connection) {
  while (connection->made) {
    struct request *request = connection->made;
    connection->made = request->next_made;
    forget_headers(request);
    free(request);
  }
  nghttp2_session_del(connection->session); /* says nothing of the streams that are still open */
}
