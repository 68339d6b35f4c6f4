/* The part of a board for the example of ESP-IDF: it runs app_main, which starts one client. */
#include "mqtt_client.h"
#include "../session.h"

struct esp_mqtt_client {
  esp_mqtt_client_config_t config;
  esp_event_handler_t handler;
  struct session session;
};

static int status = 1;

esp_err_t nvs_flash_init(void) { return 0; }
esp_err_t esp_netif_init(void) { return 0; }
esp_err_t esp_event_loop_create_default(void) { return 0; }
esp_err_t example_connect(void) { return 0; }

esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config) {
  static struct esp_mqtt_client client;
  client.config = *config;
  return &client;
}

esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t id,
                                         esp_event_handler_t handler, void *data) {
  (void)id;
  (void)data;
  client->handler = handler;
  return 0;
}

static void tell(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t id, esp_mqtt_error_codes_t error) {
  esp_mqtt_event_t event = {.event_id = id, .client = client, .error_handle = &error};
  client->handler(NULL, "MQTT_EVENTS", id, &event);
}

esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t client) {
  char host[256], port[8];
  const esp_mqtt_client_config_t *c = &client->config;
  if (sscanf(c->broker.address.uri, "mqtts://%255[^:]:%7s", host, port) != 2) return -1;
  int result = session_open(&client->session, host, port, c->broker.verification.certificate,
                            c->credentials.authentication.certificate, c->credentials.authentication.key,
                            c->credentials.authentication.key_password,
                            (size_t)c->credentials.authentication.key_password_len);
  if (result < 0) {
    tell(client, MQTT_EVENT_ERROR,
         (esp_mqtt_error_codes_t){.error_type = MQTT_ERROR_TYPE_TCP_TRANSPORT, .esp_tls_stack_err = result});
    return 0;
  }
  int code = mqtt_connect(&client->session, c->credentials.client_id);
  if (code != 0) {
    tell(client, MQTT_EVENT_ERROR,
         (esp_mqtt_error_codes_t){.error_type = MQTT_ERROR_TYPE_CONNECTION_REFUSED,
                                  .connect_return_code = (esp_mqtt_connect_return_code_t)code});
    return 0;
  }
  tell(client, MQTT_EVENT_CONNECTED, (esp_mqtt_error_codes_t){0});
  mqtt_disconnect(&client->session);
  return 0;
}

int esp_mqtt_client_publish(esp_mqtt_client_handle_t client, const char *topic, const char *data, int length, int qos,
                            int retain) {
  if (length != 0 || retain != 0) return -1;
  if (mqtt_publish(&client->session, topic, data, qos) != 0) return -1;
  status = 0;
  tell(client, MQTT_EVENT_PUBLISHED, (esp_mqtt_error_codes_t){0});
  return 1;
}

void app_main(void);

int main(void) {
  app_main();
  return status;
}
