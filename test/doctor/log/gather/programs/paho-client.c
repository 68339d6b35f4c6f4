/* Paho for C: uri ca cert key protocol. */
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tell(const char *text, size_t size, void *unused) {
  (void)unused;
  printf("%.*s\n", (int)size, text);
  return 1;
}

int main(int argc, char **a) {
  if (argc < 6) return 2;
  MQTTClient client;
  MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
  create.MQTTVersion = *a[5] == '5' ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  MQTTClient_createWithOptions(&client, a[1], "device-001", MQTTCLIENT_PERSISTENCE_NONE, NULL, &create);
  MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
  MQTTClient_connectOptions options5 = MQTTClient_connectOptions_initializer5;
  if (*a[5] == '5') options = options5;
  MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;
  tls.trustStore = *a[2] ? a[2] : NULL;
  tls.keyStore = *a[3] ? a[3] : NULL;
  tls.privateKey = *a[4] ? a[4] : NULL;
  tls.verify = 1;
  tls.CApath = NULL;
  tls.ssl_error_cb = tell;
  options.ssl = strncmp(a[1], "ssl", 3) ? NULL : &tls;
  options.connectTimeout = 4;
  int r;
  if (*a[5] == '5') {
    MQTTResponse response = MQTTClient_connect5(client, &options, NULL, NULL);
    r = response.reasonCode;
    if (r != 0) printf("Failed to connect, return code %d: %s\n", r, r > 0 ? MQTTReasonCode_toString(r) : MQTTClient_strerror(r));
  } else {
    r = MQTTClient_connect(client, &options);
    if (r != 0) printf("Failed to connect, return code %d (%s)\n", r, MQTTClient_strerror(r) ? MQTTClient_strerror(r) : "no text");
  }
  if (r == 0) {
    r = MQTTClient_subscribe(client, "plant/all", 1);
    printf("subscribe returned %d\n", r);
  }
  return r != 0;
}
