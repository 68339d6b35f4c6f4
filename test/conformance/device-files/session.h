/* TLS with Debian's mbedTLS and as much of MQTT 3.1.1 as an example needs: what the libraries of a board do on a board. */
#pragma once
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdint.h>
#include <string.h>

struct session {
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_net_context net;
  mbedtls_ssl_context ssl;
  mbedtls_ssl_config config;
  mbedtls_x509_crt ca, certificate;
  mbedtls_pk_context key;
};

#define TRY(call) do { int result_ = (call); if (result_ < 0) return result_; } while (0)

/* All texts are PEM; they end with a zero, which mbedTLS counts. Answers 0 or an error of mbedTLS. */
static int session_open(struct session *s, const char *host, const char *port, const char *ca, const char *certificate,
                        const char *key, const char *password, size_t password_length) {
  mbedtls_entropy_init(&s->entropy);
  mbedtls_ctr_drbg_init(&s->random);
  mbedtls_net_init(&s->net);
  mbedtls_ssl_init(&s->ssl);
  mbedtls_ssl_config_init(&s->config);
  mbedtls_x509_crt_init(&s->ca);
  mbedtls_x509_crt_init(&s->certificate);
  mbedtls_pk_init(&s->key);
  TRY(mbedtls_ctr_drbg_seed(&s->random, mbedtls_entropy_func, &s->entropy, NULL, 0));
  TRY(mbedtls_x509_crt_parse(&s->ca, (const unsigned char *)ca, strlen(ca) + 1));
  TRY(mbedtls_x509_crt_parse(&s->certificate, (const unsigned char *)certificate, strlen(certificate) + 1));
  TRY(mbedtls_pk_parse_key(&s->key, (const unsigned char *)key, strlen(key) + 1, (const unsigned char *)password, password_length));
  TRY(mbedtls_ssl_config_defaults(&s->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT));
  mbedtls_ssl_conf_rng(&s->config, mbedtls_ctr_drbg_random, &s->random);
  mbedtls_ssl_conf_ca_chain(&s->config, &s->ca, NULL);
  mbedtls_ssl_conf_authmode(&s->config, MBEDTLS_SSL_VERIFY_REQUIRED);
  TRY(mbedtls_ssl_conf_own_cert(&s->config, &s->certificate, &s->key));
  TRY(mbedtls_ssl_setup(&s->ssl, &s->config));
  TRY(mbedtls_ssl_set_hostname(&s->ssl, host));
  TRY(mbedtls_net_connect(&s->net, host, port, MBEDTLS_NET_PROTO_TCP));
  mbedtls_ssl_set_bio(&s->ssl, &s->net, mbedtls_net_send, mbedtls_net_recv, NULL);
  TRY(mbedtls_ssl_handshake(&s->ssl));
  return 0;
}

static int session_send(struct session *s, const uint8_t *bytes, size_t length) {
  for (size_t sent = 0; sent < length;) {
    int n = mbedtls_ssl_write(&s->ssl, bytes + sent, length - sent);
    if (n < 0) return n;
    sent += (size_t)n;
  }
  return 0;
}

static int session_receive(struct session *s, uint8_t *bytes, size_t length) {
  for (size_t had = 0; had < length;) {
    int n = mbedtls_ssl_read(&s->ssl, bytes + had, length - had);
    if (n <= 0) return n == 0 ? -1 : n;
    had += (size_t)n;
  }
  return 0;
}

static size_t put_text(uint8_t *at, const char *text) {
  size_t length = strlen(text);
  at[0] = (uint8_t)(length >> 8);
  at[1] = (uint8_t)length;
  memcpy(at + 2, text, length);
  return length + 2;
}

static int send_packet(struct session *s, uint8_t first, const uint8_t *body, size_t length) {
  uint8_t head[5] = {first};
  size_t size = 1;
  for (size_t left = length;; left >>= 7) {
    head[size++] = (uint8_t)((left & 127) | (left > 127 ? 128 : 0));
    if (left <= 127) break;
  }
  TRY(session_send(s, head, size));
  return session_send(s, body, length);
}

/* Answers the code of the CONNACK, or an error of mbedTLS. */
static int mqtt_connect(struct session *s, const char *id) {
  uint8_t body[256] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60}, in[4];
  TRY(send_packet(s, 0x10, body, 10 + put_text(body + 10, id)));
  TRY(session_receive(s, in, 4));
  return in[0] == 0x20 ? in[3] : -1;
}

/* With QoS 1 it answers when the PUBACK is there. */
static int mqtt_publish(struct session *s, const char *topic, const char *payload, int qos) {
  uint8_t body[512], in[4];
  size_t at = put_text(body, topic);
  if (qos > 0) {
    body[at++] = 0;
    body[at++] = 1;
  }
  memcpy(body + at, payload, strlen(payload));
  TRY(send_packet(s, (uint8_t)(0x30 | qos << 1), body, at + strlen(payload)));
  if (qos == 0) return 0;
  TRY(session_receive(s, in, 4));
  return in[0] == 0x40 && in[3] == 1 ? 0 : -1;
}

static void mqtt_disconnect(struct session *s) {
  const uint8_t goodbye[] = {0xe0, 0};
  session_send(s, goodbye, sizeof goodbye);
  mbedtls_ssl_close_notify(&s->ssl);
}
