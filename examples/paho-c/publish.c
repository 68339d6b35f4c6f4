/*
 * Connects as this device and sends one reading, with Eclipse Paho for C.
 *
 *     cc -o publish publish.c -lpaho-mqtt3cs
 *     ./publish
 */
#include <MQTTClient.h>
#include <stdio.h>
#include <string.h>

/* The passphrase of the key without the end of its line, or NULL where there is no such file. */
static const char *passphrase(void) {
  static char line[128];
  FILE *file = fopen("private_key_pass.txt", "r");
  if (file == NULL) return NULL;
  const char *read = fgets(line, sizeof line, file);
  fclose(file);
  line[strcspn(line, "\r\n")] = '\0';
  return read;
}

int main(void) {
  MQTTClient client;
  int result = MQTTClient_create(&client, "ssl://@URI_HOST@:@PORT@", "@ID@", MQTTCLIENT_PERSISTENCE_NONE, NULL);
  if (result != MQTTCLIENT_SUCCESS) {
    fprintf(stderr, "no client was made: %d\n", result);
    return 1;
  }

  MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;
  tls.trustStore = "ca.pem";
  tls.keyStore = "client_cert.pem";
  tls.privateKey = "private_key.pem";
  tls.privateKeyPassword = passphrase();
  tls.enableServerCertAuth = 1;
  tls.verify = 1; /* the name in the certificate of the server, too */
  MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
  options.ssl = &tls;
  options.cleansession = 1;
  options.keepAliveInterval = 60;
  options.connectTimeout = 10;
  result = MQTTClient_connect(client, &options);
  if (result != MQTTCLIENT_SUCCESS) {
    /* 1 to 5 come from the hub, 5 being "not authorized"; negative ones from Paho, -1 also for TLS. */
    fprintf(stderr, "not connected: %d\n", result);
    MQTTClient_destroy(&client);
    return 1;
  }

  const char *reading = "{\"temperature\":21}";
  MQTTClient_deliveryToken token;
  result = MQTTClient_publish(client, "devices/@ID@/messages/events/", (int)strlen(reading), reading, 1, 0, &token);
  if (result == MQTTCLIENT_SUCCESS) result = MQTTClient_waitForCompletion(client, token, 10000);
  if (result == MQTTCLIENT_SUCCESS) printf("sent\n");
  else fprintf(stderr, "not acknowledged: %d\n", result);
  MQTTClient_disconnect(client, 1000);
  MQTTClient_destroy(&client);
  return result == MQTTCLIENT_SUCCESS ? 0 : 1;
}
