/* Connects as this device and sends one reading, with ESP-IDF 5. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "mqtt_client.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

static const char *TAG = "device";

/* What CMakeLists.txt embeds: texts that end with a zero. */
extern const char ca_pem[] asm("_binary_ca_pem_start");
extern const char client_cert_pem[] asm("_binary_client_cert_pem_start");
extern const char private_key_pem[] asm("_binary_private_key_pem_start");
#ifdef DEVICE_KEY_HAS_PASSPHRASE
extern const char private_key_pass[] asm("_binary_private_key_pass_txt_start");
#endif

static void on_mqtt(void *unused, esp_event_base_t base, int32_t id, void *data) {
  esp_mqtt_event_handle_t event = data;
  (void)unused;
  (void)base;
  switch ((esp_mqtt_event_id_t)id) {
    case MQTT_EVENT_CONNECTED:
      esp_mqtt_client_publish(event->client, "devices/@ID@/messages/events/", "{\"temperature\":21}", 0, 1, 0);
      break;
    case MQTT_EVENT_PUBLISHED:
      ESP_LOGI(TAG, "sent");
      break;
    case MQTT_EVENT_ERROR:
      if (event->error_handle->error_type == MQTT_ERROR_TYPE_CONNECTION_REFUSED) {
        ESP_LOGE(TAG, "the hub refused the connection: code %d", (int)event->error_handle->connect_return_code);
      } else {
        ESP_LOGE(TAG, "TLS: mbedTLS -0x%04x, certificate flags 0x%x", (unsigned)-event->error_handle->esp_tls_stack_err,
                 (unsigned)event->error_handle->esp_tls_cert_verify_flags);
      }
      break;
    default:
      break;
  }
}

void app_main(void) {
  ESP_ERROR_CHECK(nvs_flash_init());
  ESP_ERROR_CHECK(esp_netif_init());
  ESP_ERROR_CHECK(esp_event_loop_create_default());
  ESP_ERROR_CHECK(example_connect());

  /* The name of the server is compared with its certificate unless skip_cert_common_name_check is set. */
  const esp_mqtt_client_config_t config = {
      .broker.address.uri = "mqtts://@URI_HOST@:@PORT@",
      .broker.verification.certificate = ca_pem,
      .credentials.client_id = "@ID@",
      .credentials.authentication.certificate = client_cert_pem,
      .credentials.authentication.key = private_key_pem,
#ifdef DEVICE_KEY_HAS_PASSPHRASE
      .credentials.authentication.key_password = private_key_pass,
      .credentials.authentication.key_password_len = (int)strlen(private_key_pass),
#endif
  };
  esp_mqtt_client_handle_t client = esp_mqtt_client_init(&config);
  if (client == NULL) {
    ESP_LOGE(TAG, "no client was made");
    return;
  }
  ESP_ERROR_CHECK(esp_mqtt_client_register_event(client, ESP_EVENT_ANY_ID, on_mqtt, NULL));
  ESP_ERROR_CHECK(esp_mqtt_client_start(client));
}
