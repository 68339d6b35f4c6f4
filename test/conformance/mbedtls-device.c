/*
 * A device in C: mbedTLS, a client certificate, MQTT 3.1.1. It connects, publishes one reading with QoS 1, waits for the PUBACK and
 * leaves. Prints what went wrong and ends with 1 where something did.
 *
 *     mbedtls-device <host> <port> <ca> <certificate> <key> <id> [passphrase file]
 */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "%s: -0x%04x\n", what, (unsigned)-result);
  exit(1);
}

static void send_all(mbedtls_ssl_context *ssl, const unsigned char *bytes, size_t length) {
  for (size_t sent = 0; sent < length;) {
    int n = mbedtls_ssl_write(ssl, bytes + sent, length - sent);
    check(n, "write");
    sent += (size_t)n;
  }
}

static void receive(mbedtls_ssl_context *ssl, unsigned char *bytes, size_t length) {
  for (size_t had = 0; had < length;) {
    int n = mbedtls_ssl_read(ssl, bytes + had, length - had);
    check(n == 0 ? -1 : n, "read");
    had += (size_t)n;
  }
}

/* A length and a text, as MQTT writes them. */
static size_t put(unsigned char *at, const char *text) {
  size_t length = strlen(text);
  at[0] = (unsigned char)(length >> 8);
  at[1] = (unsigned char)length;
  memcpy(at + 2, text, length);
  return length + 2;
}

static size_t packet(unsigned char *at, unsigned char first, const unsigned char *body, size_t length) {
  size_t head = 1;
  at[0] = first;
  for (size_t left = length;; left >>= 7) {
    at[head++] = (unsigned char)((left & 127) | (left > 127 ? 128 : 0));
    if (left <= 127) break;
  }
  memcpy(at + head, body, length);
  return head + length;
}

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_net_context net;
  mbedtls_ssl_context ssl;
  mbedtls_ssl_config config;
  mbedtls_x509_crt ca, certificate;
  mbedtls_pk_context key;
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&random);
  mbedtls_net_init(&net);
  mbedtls_ssl_init(&ssl);
  mbedtls_ssl_config_init(&config);
  mbedtls_x509_crt_init(&ca);
  mbedtls_x509_crt_init(&certificate);
  mbedtls_pk_init(&key);
  char words[256] = "";
  if (argc > 7) {
    FILE *file = fopen(argv[7], "r");
    if (file == NULL || fgets(words, sizeof words, file) == NULL) return 2;
    fclose(file);
    words[strcspn(words, "\r\n")] = 0;
  }

  check(mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0), "seed");
  check(mbedtls_x509_crt_parse_file(&ca, argv[3]), "ca");
  check(mbedtls_x509_crt_parse_file(&certificate, argv[4]), "certificate");
  check(mbedtls_pk_parse_keyfile(&key, argv[5], words[0] ? words : NULL), "key");
  check(mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
        "defaults");
  mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
  mbedtls_ssl_conf_ca_chain(&config, &ca, NULL);
  mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
  check(mbedtls_ssl_conf_own_cert(&config, &certificate, &key), "own certificate");
  check(mbedtls_ssl_setup(&ssl, &config), "setup");
  check(mbedtls_ssl_set_hostname(&ssl, argv[1]), "host name");
  check(mbedtls_net_connect(&net, argv[1], argv[2], MBEDTLS_NET_PROTO_TCP), "connect");
  mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
  check(mbedtls_ssl_handshake(&ssl), "handshake");

  unsigned char body[512] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60}, out[520], in[4];
  send_all(&ssl, out, packet(out, 0x10, body, 10 + put(body + 10, argv[6])));
  receive(&ssl, in, 4);
  if (in[0] != 0x20 || in[3] != 0) {
    fprintf(stderr, "the CONNACK has the code %d\n", in[3]);
    return 1;
  }
  char topic[128];
  snprintf(topic, sizeof topic, "devices/%s/messages/events/", argv[6]);
  size_t at = put(body, topic);
  body[at++] = 0;
  body[at++] = 1;
  memcpy(body + at, "21.5", 4);
  send_all(&ssl, out, packet(out, 0x32, body, at + 4));
  receive(&ssl, in, 4);
  if (in[0] != 0x40 || in[3] != 1) {
    fprintf(stderr, "no PUBACK\n");
    return 1;
  }
  const unsigned char goodbye[] = {0xe0, 0};
  send_all(&ssl, goodbye, sizeof goodbye);
  mbedtls_ssl_close_notify(&ssl);
  return 0;
}
