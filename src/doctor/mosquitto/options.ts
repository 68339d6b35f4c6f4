/** The options of Mosquitto's configuration (mosquitto.conf(5), 2.0 and 2.1): which are known, where they hold and what they take. */

/**
 * Where an option holds. `listener`: for the listener above it, or for the default one. `security`: for all listeners, or with
 * `per_listener_settings` as `listener`. `bridge`: for the `connection` above it. `plugin`: for the plugin above it.
 */
export type Scope = 'broker' | 'listener' | 'security' | 'bridge' | 'plugin'

/** What it takes: true or false, one text that may be given once, or something that is not looked at here. */
export type Form = 'flag' | 'text' | 'free'

export interface Option {
  readonly scope: Scope
  readonly form: Form
}

function all(scope: Scope, form: Form, names: string): readonly (readonly [string, Option])[] {
  return names
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => [name, { scope, form }] as const)
}

const known: ReadonlyMap<string, Option> = new Map([
  ...all(
    'listener',
    'flag',
    'require_certificate use_identity_as_username use_subject_as_username use_username_as_clientid',
  ),
  ...all('listener', 'flag', 'disable_client_cert_date_checks'),
  ...all('listener', 'text', 'cafile capath certfile keyfile crlfile ciphers ciphers_tls1.3 dhparamfile psk_hint'),
  ...all(
    'listener',
    'free',
    'tls_version tls_engine tls_engine_kpass_sha1 tls_keyform protocol mount_point max_connections',
  ),
  ...all('listener', 'free', 'socket_domain bind_interface http_dir max_qos max_topic_alias max_topic_alias_broker'),
  ...all(
    'listener',
    'free',
    'listener_allow_anonymous listener_auto_id_prefix accept_protocol_versions proxy_protocol',
  ),
  ...all('listener', 'free', 'enable_proxy_protocol proxy_protocol_v2_require_tls websockets_origin plugin_use'),
  ...all('security', 'flag', 'allow_anonymous allow_zero_length_clientid'),
  ...all('security', 'text', 'password_file acl_file psk_file'),
  ...all('security', 'free', 'auto_id_prefix auth_plugin plugin'),
  ...all('plugin', 'free', 'auth_plugin_deny_special_chars'),
  ...all('broker', 'flag', 'per_listener_settings'),
  ...all('broker', 'free', 'listener port bind_address include_dir connection bridge global_plugin plugin_load user'),
  ...all('broker', 'free', 'allow_duplicate_messages autosave_interval autosave_on_changes check_retain_source'),
  ...all('broker', 'free', 'clientid_prefixes connection_messages log_dest log_facility log_timestamp'),
  ...all('broker', 'free', 'log_timestamp_format log_type max_inflight_bytes max_inflight_messages max_keepalive'),
  ...all('broker', 'free', 'max_packet_size max_queued_bytes max_queued_messages memory_limit message_size_limit'),
  ...all('broker', 'free', 'packet_buffer_size persistence persistence_file persistence_location'),
  ...all('broker', 'free', 'persistent_client_expiration pid_file queue_qos0_messages retain_available'),
  ...all(
    'broker',
    'free',
    'retain_expiry_interval retained_persistence retry_interval set_tcp_nodelay store_clean_interval',
  ),
  ...all('broker', 'free', 'sys_interval upgrade_outgoing_qos websockets_headers_size websockets_log_level'),
  ...all('broker', 'free', 'global_max_clients global_max_connections enable_control_api ffdc_output trace_level'),
  ...all('bridge', 'flag', 'bridge_insecure'),
  ...all(
    'bridge',
    'free',
    'address addresses topic bridge_attempt_unsubscribe bridge_bind_address bridge_outgoing_retain',
  ),
  ...all(
    'bridge',
    'free',
    'bridge_max_packet_size bridge_max_topic_alias bridge_protocol_version bridge_receive_maximum',
  ),
  ...all(
    'bridge',
    'free',
    'bridge_reload_type bridge_require_ocsp bridge_session_expiry_interval bridge_tcp_keepalive',
  ),
  ...all('bridge', 'free', 'bridge_tcp_user_timeout bridge_tls_use_os_certs bridge_tls_version bridge_alpn'),
  ...all(
    'bridge',
    'free',
    'bridge_cafile bridge_capath bridge_certfile bridge_keyfile bridge_ciphers bridge_ciphers_tls1.3',
  ),
  ...all('bridge', 'free', 'bridge_identity bridge_psk cleansession clean_session client_id clientid idle_timeout'),
  ...all(
    'bridge',
    'free',
    'keepalive_interval local_cleansession local_clientid local_password local_username notification_topic',
  ),
  ...all(
    'bridge',
    'free',
    'notifications notifications_local_only password remote_clientid remote_password remote_username',
  ),
  ...all('bridge', 'free', 'restart_timeout round_robin start_type threshold try_private username'),
])

/** What an option is; undefined for a name that is none. */
export function optionOf(name: string): Option | undefined {
  if (/^(?:auth|plugin)_opt_./.test(name)) return { scope: 'plugin', form: 'free' }
  return known.get(name)
}

/** All names, for who has mistyped one. */
export const optionNames: readonly string[] = [...known.keys()]

/** Names that no other program's configuration has: by them a file is known for one of Mosquitto. */
export const tellingNames: ReadonlySet<string> = new Set(
  `listener port allow_anonymous per_listener_settings require_certificate use_identity_as_username cafile certfile keyfile
   password_file acl_file persistence_location include_dir crlfile connection_messages log_dest pid_file bridge_cafile bridge_certfile
   bridge_keyfile bridge_insecure bridge_capath remote_clientid remote_username`.split(/\s+/),
)
