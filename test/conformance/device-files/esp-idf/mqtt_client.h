/* What the example for ESP-IDF asks of ESP-IDF, by the names and types of its headers, on a machine with Debian's mbedTLS. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef int esp_err_t;
#define ESP_ERROR_CHECK(call) do { if ((call) != 0) abort(); } while (0)
#define ESP_LOGI(tag, ...) (printf("I %s: ", tag), printf(__VA_ARGS__), printf("\n"))
#define ESP_LOGE(tag, ...) (fprintf(stderr, "E %s: ", tag), fprintf(stderr, __VA_ARGS__), fprintf(stderr, "\n"))
typedef const char *esp_event_base_t;
#define ESP_EVENT_ANY_ID (-1)
typedef void (*esp_event_handler_t)(void *, esp_event_base_t, int32_t, void *);
esp_err_t nvs_flash_init(void);
esp_err_t esp_netif_init(void);
esp_err_t esp_event_loop_create_default(void);
esp_err_t example_connect(void);

typedef struct esp_mqtt_client *esp_mqtt_client_handle_t;
typedef enum esp_mqtt_event_id_t {
  MQTT_EVENT_ANY = -1,
  MQTT_EVENT_ERROR = 0,
  MQTT_EVENT_CONNECTED,
  MQTT_EVENT_DISCONNECTED,
  MQTT_EVENT_SUBSCRIBED,
  MQTT_EVENT_UNSUBSCRIBED,
  MQTT_EVENT_PUBLISHED,
  MQTT_EVENT_DATA,
} esp_mqtt_event_id_t;
typedef enum esp_mqtt_error_type_t {
  MQTT_ERROR_TYPE_NONE = 0,
  MQTT_ERROR_TYPE_TCP_TRANSPORT,
  MQTT_ERROR_TYPE_CONNECTION_REFUSED,
} esp_mqtt_error_type_t;
typedef enum esp_mqtt_connect_return_code_t { MQTT_CONNECTION_ACCEPTED = 0 } esp_mqtt_connect_return_code_t;
typedef struct esp_mqtt_error_codes {
  esp_err_t esp_tls_last_esp_err;
  int esp_tls_stack_err;
  int esp_tls_cert_verify_flags;
  esp_mqtt_error_type_t error_type;
  esp_mqtt_connect_return_code_t connect_return_code;
} esp_mqtt_error_codes_t;
typedef struct esp_mqtt_event_t {
  esp_mqtt_event_id_t event_id;
  esp_mqtt_client_handle_t client;
  esp_mqtt_error_codes_t *error_handle;
} esp_mqtt_event_t;
typedef esp_mqtt_event_t *esp_mqtt_event_handle_t;
typedef struct esp_mqtt_client_config_t {
  struct broker_t {
    struct address_t {
      const char *uri;
    } address;
    struct verification_t {
      const char *certificate;
      size_t certificate_len;
      bool skip_cert_common_name_check;
    } verification;
  } broker;
  struct credentials_t {
    const char *username;
    const char *client_id;
    struct authentication_t {
      const char *certificate;
      size_t certificate_len;
      const char *key;
      size_t key_len;
      const char *key_password;
      int key_password_len;
    } authentication;
  } credentials;
} esp_mqtt_client_config_t;

esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config);
esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t, esp_mqtt_event_id_t, esp_event_handler_t, void *);
esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t);
int esp_mqtt_client_publish(esp_mqtt_client_handle_t, const char *topic, const char *data, int length, int qos, int retain);
