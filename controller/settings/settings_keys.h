/* The table of configuration keys. Rows: member, key, type, default, min, max, choices, secret,
 * documentation. After a change run `make docs-config`. Leaf; no IO. */
#ifndef WEIR_CONTROLLER_SETTINGS_SETTINGS_KEYS_H
#define WEIR_CONTROLLER_SETTINGS_SETTINGS_KEYS_H

#include "common/config.h"

/* Index = enum log_level. */
extern const char *const settings_log_levels[];
extern const char *const settings_x264_presets[];
extern const char *const settings_hls_containers[]; /* the first is fragmented MP4 */

#define SETTINGS_TEXT_MAX 1024
#define SETTINGS_MS INT64_C(1000)
#define SETTINGS_S (1000 * SETTINGS_MS)
#define SETTINGS_M (60 * SETTINGS_S)
#define SETTINGS_H (60 * SETTINGS_M)
#define SETTINGS_KB INT64_C(1024)
#define SETTINGS_MB (1024 * SETTINGS_KB)
#define SETTINGS_GB (1024 * SETTINGS_MB)

/* clang-format off */
#define SETTINGS_MAP(X)                                                                            \
    SETTINGS_HTTP(X) SETTINGS_RTC(X) SETTINGS_ICE(X) SETTINGS_STORE(X) SETTINGS_HLS(X)             \
    SETTINGS_RECORD(X) SETTINGS_STORAGE(X) SETTINGS_ACCOUNTS(X) SETTINGS_CHAT(X)                   \
    SETTINGS_LIMITS(X) SETTINGS_GENERAL(X)

#define SETTINGS_HTTP(X)                                                                           \
    X(http_host, "http.host", STRING, "127.0.0.1", 1, 255, NULL, false,                            \
      "Address that HTTP and WebSocket listen on. 0.0.0.0 is every IPv4 address of the machine, "  \
      ":: every one.")                                                                             \
    X(http_port, "http.port", PORT, "8080", 1, 65535, NULL, false,                                 \
      "TCP port of HTTP and WebSocket.")                                                           \
    X(http_tls_cert, "http.tls_cert", PATH, "", 0, SETTINGS_TEXT_MAX, NULL, false,                 \
      "Certificate chain in PEM form. With http.tls_key it turns on HTTPS; empty: plain HTTP.")    \
    X(http_tls_key, "http.tls_key", PATH, "", 0, SETTINGS_TEXT_MAX, NULL, false,                   \
      "Private key in PEM form.")                                                                  \
    X(http_max_connections, "http.max_connections", INT, "10000", 1, 1000000, NULL, false,         \
      "Connections at the same time; further ones are refused.")                                   \
    X(http_public_url, "http.public_url", STRING, "", 0, SETTINGS_TEXT_MAX, NULL, false,           \
      "Where users reach the service, for example https://live.example.org, when a proxy stands "  \
      "in front. Empty: derived from each request.")                                               \
    X(http_allowed_origins, "http.allowed_origins", LIST, "", 0, CONFIG_LIST_MAX, NULL, false,     \
      "Origins of other sites whose pages may open the WebSocket. Same origin is always allowed; " \
      "* allows all.")                                                                             \
    X(http_trusted_proxies, "http.trusted_proxies", LIST, "", 0, CONFIG_LIST_MAX, NULL, false,     \
      "Addresses of proxies, 10.0.0.7 or 10.0.0.0/8, whose X-Forwarded-For and X-Forwarded-Proto " \
      "are believed.")                                                                             \
    X(web_root, "web.root", PATH, "", 0, SETTINGS_TEXT_MAX, NULL, false,                           \
      "Folder of the web app. Empty: web/dist next to the program, or below the folder it runs in.")

#define SETTINGS_RTC(X)                                                                            \
    X(rtc_listen_ips, "rtc.listen_ips", LIST, "127.0.0.1", 1, 8, NULL, false,                      \
      "Addresses that media listens on, each as ip or ip=announced: clients are told the "         \
      "announced address or host name. 0.0.0.0 and :: need an announced address.")                 \
    X(rtc_port_base, "rtc.port_base", PORT, "40000", 1024, 65535, NULL, false,                     \
      "UDP and TCP port of the first worker; each further worker takes the next one.")             \
    X(rtc_workers, "rtc.workers", INT, "0", 0, 256, NULL, false,                                   \
      "Media workers. 0: one per core.")                                                           \
    X(rtc_worker_load_max, "rtc.worker_load_max", INT, "2000", 1, 1000000, NULL, false,            \
      "Transports, producers and consumers of a worker (the metric weir_worker_load) from which "  \
      "on the rooms in it spread: their next peers get a less loaded worker, and streams go there " \
      "through the machine's loopback. A viewer of picture and sound counts for three.")           \
    X(rtc_worker_path, "rtc.worker_path", PATH, "", 0, SETTINGS_TEXT_MAX, NULL, false,             \
      "The weir-worker program. Empty: next to this program.")                                     \
    X(rtc_tcp, "rtc.tcp", BOOL, "true", 0, 0, NULL, false,                                         \
      "Offer TCP candidates as well, for networks that block UDP.")                                \
    X(rtc_initial_bitrate, "rtc.initial_bitrate", BITRATE, "2M", 30000, 1000000000, NULL, false,   \
      "Estimate that a viewer's downlink starts with; a key frame leaves at 2.5 times that.")       \
    X(rtc_min_bitrate, "rtc.min_bitrate", BITRATE, "30k", 10000, 1000000000, NULL, false,          \
      "The estimate of a viewer's downlink never falls below.")                                                           \
    X(rtc_max_bitrate, "rtc.max_bitrate", BITRATE, "20M", 30000, 4000000000, NULL, false,         \
      "Most that is sent to one transport.")                                                       \
    X(rtc_max_incoming_bitrate, "rtc.max_incoming_bitrate", BITRATE, "15M", 30000, 4000000000,     \
      NULL, false, "Most that a broadcaster is allowed to send over one transport.")

#define SETTINGS_ICE(X)                                                                            \
    X(ice_stun_urls, "ice.stun_urls", LIST, "", 0, 16, NULL, false,                                \
      "STUN servers that clients are told, for example stun:stun.example.org:3478. Clients of "    \
      "this service need none to reach it.")                                                       \
    X(ice_turn_urls, "ice.turn_urls", LIST, "", 0, 16, NULL, false,                                \
      "TURN servers that clients are told, for example turn:turn.example.org:3478?transport=udp.") \
    X(ice_turn_username, "ice.turn_username", STRING, "", 0, SETTINGS_TEXT_MAX, NULL, false,       \
      "Fixed user name for TURN. Better: ice.turn_secret.")                                        \
    X(ice_turn_password, "ice.turn_password", STRING, "", 0, SETTINGS_TEXT_MAX, NULL, true,        \
      "Password of the fixed user name.")                                                          \
    X(ice_turn_secret, "ice.turn_secret", STRING, "", 0, SETTINGS_TEXT_MAX, NULL, true,            \
      "Secret shared with the TURN server (coturn: use-auth-secret), from which every client "     \
      "gets credentials that are limited in time.")                                                \
    X(ice_turn_ttl, "ice.turn_ttl", DURATION, "12h", SETTINGS_M, 168 * SETTINGS_H, NULL, false,    \
      "How long such credentials are good for.")

#define SETTINGS_STORE(X)                                                                          \
    X(data_dir, "data.dir", PATH, "var", 1, SETTINGS_TEXT_MAX, NULL, false,                        \
      "Folder of everything that is kept: embedded database, segments, recordings.")               \
    X(db_url, "db.url", STRING, "", 0, SETTINGS_TEXT_MAX, NULL, true,                              \
      "postgresql://user:password@host/name, or sqlite:path. Empty: weir.db in data.dir.")         \
    X(db_statement_limit, "db.statement_limit", DURATION, "5s", 10 * SETTINGS_MS, SETTINGS_H,      \
      NULL, false, "Longest that one statement may run.")                                          \
    X(db_queue_max, "db.queue_max", INT, "1024", 1, 100000, NULL, false,                           \
      "Database jobs that may wait; more get the answer 503.")

#define SETTINGS_HLS(X)                                                                            \
    X(hls_enabled, "hls.enabled", BOOL, "true", 0, 0, NULL, false,                                 \
      "Make every live stream available over HLS. Needs ffmpeg.")                                  \
    X(hls_ffmpeg, "hls.ffmpeg", PATH, "ffmpeg", 1, SETTINGS_TEXT_MAX, NULL, false,                 \
      "The ffmpeg program; a name without a slash is looked up in PATH.")                          \
    X(hls_dir, "hls.dir", PATH, "", 0, SETTINGS_TEXT_MAX, NULL, false,                             \
      "Folder of playlists and segments. Empty: hls in data.dir.")                                 \
    X(hls_segment, "hls.segment", DURATION, "1s", 500 * SETTINGS_MS, 30 * SETTINGS_S, NULL, false, \
      "Length of a segment; it gets longer where key frames are farther apart.")                   \
    X(hls_container, "hls.container", ENUM, "cmaf", 0, 0, settings_hls_containers, false,          \
      "cmaf: fragmented MP4 with low latency, rewinding and DASH. ts: MPEG-TS, for old players.")  \
    X(hls_part, "hls.part", DURATION, "250ms", 100 * SETTINGS_MS, 2 * SETTINGS_S, NULL, false,     \
      "Length of a partial segment (cmaf).")                                                       \
    X(hls_window, "hls.window", DURATION, "2h", 10 * SETTINGS_S, 24 * 3600 * SETTINGS_S, NULL,     \
      false, "How far a live stream can be rewound (cmaf).")                                       \
    X(hls_list_size, "hls.list_size", INT, "8", 3, 1000, NULL, false,                              \
      "Segments in a playlist (ts).")                                                              \
    X(hls_modes, "hls.modes", LIST, "stream", 0, 3, NULL, false,                                   \
      "What new rooms have: stream (the broadcaster's), peers (each for itself), composite (all "   \
      "on one canvas). Rooms can change it.")                                                      \
    X(hls_names, "hls.names", BOOL, "true", 0, 0, NULL, false,                                     \
      "Names under the pictures of a composite. Rooms can change it.")                             \
    X(hls_low_bandwidth, "hls.low_bandwidth", BOOL, "false", 0, 0, NULL, false,                    \
      "One picture of 256x144, made by one thread, in every mode. Rooms can change it.")           \
    X(hls_ladder, "hls.ladder", LIST, "", 0, 6, NULL, false,                                       \
      "Sizes of a stream, highest first, for example 1080p:5000k,720p:2500k,480p:1000k,144p:150k; " \
      "H.264 passes through in place of the first. Empty: one size, since each further one costs " \
      "an encoder.")                                                                               \
    X(hls_encoder, "hls.encoder", STRING, "libx264", 1, 64, NULL, false,                           \
      "ffmpeg's encoder where video has to be transcoded, for example h264_vaapi; must make "      \
      "H.264.")                                                                                    \
    X(hls_preset, "hls.preset", ENUM, "veryfast", 0, 0, settings_x264_presets, false,              \
      "x264's preset where video has to be transcoded.")                                           \
    X(hls_video_bitrate, "hls.video_bitrate", BITRATE, "2500k", 50000, 100000000, NULL, false,     \
      "Video bit rate where video has to be transcoded.")                                          \
    X(hls_audio_bitrate, "hls.audio_bitrate", BITRATE, "128k", 16000, 512000, NULL, false,         \
      "AAC bit rate.")                                                                             \
    X(hls_port_min, "hls.port_min", PORT, "45000", 1024, 65535, NULL, false,                       \
      "First loopback UDP port between workers and ffmpeg.")                                       \
    X(hls_port_max, "hls.port_max", PORT, "45999", 1024, 65535, NULL, false,                       \
      "Last of them. A pipeline takes four.")                                                      \
    X(hls_max_pipelines, "hls.max_pipelines", INT, "16", 1, 1000, NULL, false,                     \
      "Pipelines (ffmpeg processes) at the same time; further streams stay without HLS.")

#define SETTINGS_RECORD(X)                                                                         \
    X(record_dir, "record.dir", PATH, "", 0, SETTINGS_TEXT_MAX, NULL, false,                       \
      "Folder of recordings. Empty: recordings in data.dir.")                                      \
    X(record_automatic, "record.automatic", BOOL, "false", 0, 0, NULL, false,                      \
      "Record every stream from its beginning. Else its owner starts and stops recording.")        \
    X(record_max_age, "record.max_age", DURATION, "0s", 0, 36500 * 24 * SETTINGS_H, NULL,       \
      false, "Recordings older than this are deleted. 0s: never.")                                 \
    X(record_max_size, "record.max_size", SIZE, "0", 0, INT64_MAX / 2, NULL, false,                \
      "What all recordings may take; beyond, the oldest are deleted. 0: no limit.")

#define SETTINGS_STORAGE(X)                                                                        \
    X(storage_endpoint, "storage.endpoint", STRING, "", 0, SETTINGS_TEXT_MAX, NULL, false,         \
      "S3-compatible server that keeps finished recordings, https://s3.eu-central-1.amazonaws.com. " \
      "Empty: they stay in record.dir.")                                                           \
    X(storage_region, "storage.region", STRING, "us-east-1", 1, 63, NULL, false,                   \
      "Its region, as it is signed.")                                                              \
    X(storage_bucket, "storage.bucket", STRING, "", 0, 63, NULL, false,                            \
      "The bucket; it has to be there.")                                                           \
    X(storage_prefix, "storage.prefix", STRING, "", 0, 255, NULL, false,                           \
      "Before the name of every object, for example recordings/.")                                 \
    X(storage_access_key, "storage.access_key", STRING, "", 0, 255, NULL, false,                   \
      "Access key.")                                                                               \
    X(storage_secret_key, "storage.secret_key", STRING, "", 0, 250, NULL, true,                    \
      "Its secret.")                                                                               \
    X(storage_path_style, "storage.path_style", BOOL, "false", 0, 0, NULL, false,                  \
      "Address objects as endpoint/bucket/name, else as bucket.endpoint/name.")                    \
    X(storage_part_size, "storage.part_size", SIZE, "16M", 64 * SETTINGS_KB, 5 * SETTINGS_GB,      \
      NULL, false, "Larger files are uploaded in parts of this size. S3 itself takes none below "  \
      "5M.")                                                                                       \
    X(storage_url_lifetime, "storage.url_lifetime", DURATION, "6h", SETTINGS_S, 168 * SETTINGS_H,  \
      NULL, false, "How long the addresses that players are sent to are good for.")

#define SETTINGS_ACCOUNTS(X) SETTINGS_WEBHOOKS(X)                                                                       \
    X(accounts_registration, "accounts.registration", BOOL, "true", 0, 0, NULL, false,             \
      "Anybody may make an account. Else admins make them.")                                       \
    X(accounts_secret, "accounts.secret", STRING, "", 0, 255, NULL, true,                          \
      "What tokens are signed with, at least 32 characters. Empty: a random one, kept in the "     \
      "database. Another one ends all sessions.")                                                  \
    X(accounts_session_lifetime, "accounts.session_lifetime", DURATION, "30d", SETTINGS_M,         \
      3650 * 24 * SETTINGS_H, NULL, false, "How long a log-in is good for.")                       \
    X(accounts_session_check, "accounts.session_check", DURATION, "30s", 0, SETTINGS_H, NULL,      \
      false, "How long a log-out at another controller may take to be seen at this one. 0s asks "  \
      "the database with every request.")                                                          \
    X(accounts_scrypt_cost, "accounts.scrypt_cost", INT, "15", 10, 20, NULL, false,                \
      "What a password costs to check: log2 of scrypt's N; 15 takes 32 MiB and some 0.2 s. Old "   \
      "hashes are renewed at the next log-in.")                                                    \
    X(accounts_scrypt_running, "accounts.scrypt_running", INT, "2", 1, 4, NULL, false,             \
      "Passwords that are checked at the same time.")                                              \
    X(accounts_scrypt_waiting, "accounts.scrypt_waiting", INT, "32", 0, 10000, NULL, false,        \
      "Passwords that wait for it; further log-ins get 503.")

#define SETTINGS_CHAT(X)                                                                           \
    X(redis_url, "redis.url", STRING, "", 0, SETTINGS_TEXT_MAX, NULL, true,                        \
      "redis://[[user]:password@]host[:port][/database]: what several controllers share. Empty: "  \
      "there is one controller.")                                                                  \
    X(redis_prefix, "redis.prefix", STRING, "weir:", 0, 64, NULL, false,                           \
      "Before the names of all keys and channels; controllers with the same one belong together.") \
    X(chat_enabled, "chat.enabled", BOOL, "true", 0, 0, NULL, false,                               \
      "Rooms have a chat.")                                                                        \
    X(chat_message_max, "chat.message_max", INT, "500", 1, 2000, NULL, false,                      \
      "Characters of a message; it may never have more than 2000 bytes.")                          \
    X(chat_ban_addresses, "chat.ban_addresses", BOOL, "true", 0, 0, NULL, false,                   \
      "Banning a guest bans its address (of IPv6: its /64) from writing as a guest; an account "   \
      "can still write from there.")

#define SETTINGS_WEBHOOKS(X)                                                                       \
    X(webhooks_urls, "webhooks.urls", LIST, "", 0, 8, NULL, false,                                 \
      "Addresses, http:// or https://, that are told by POST of stream.started, stream.ended and " \
      "recording.ready.")                                                                          \
    X(webhooks_secret, "webhooks.secret", STRING, "", 0, 255, NULL, true,                          \
      "What they are signed with (docs/events.md). Empty: they are not.")                          \
    X(webhooks_attempts, "webhooks.attempts", INT, "12", 1, 100, NULL, false,                      \
      "How often one is tried before it is given up.")                                             \
    X(webhooks_pause, "webhooks.pause", DURATION, "1s", 10 * SETTINGS_MS, SETTINGS_H, NULL, false, \
      "Before the second attempt; each further pause is twice as long, five minutes at most.")

#define SETTINGS_LIMITS(X)                                                                         \
    X(limits_requests_per_second, "limits.requests_per_second", INT, "50", 1, 100000, NULL, false, \
      "Signaling requests of one connection, on average.")                                         \
    X(limits_requests_burst, "limits.requests_burst", INT, "200", 1, 100000, NULL, false,          \
      "Signaling requests of one connection, at once.")                                            \
    X(limits_message_bytes, "limits.message_bytes", SIZE, "256k", SETTINGS_KB, 16 * SETTINGS_MB,   \
      NULL, false, "Largest signaling message.")                                                   \
    X(limits_body_bytes, "limits.body_bytes", SIZE, "1M", SETTINGS_KB, SETTINGS_GB, NULL, false,   \
      "Largest body of an API request.")                                                           \
    X(limits_send_queue_bytes, "limits.send_queue_bytes", SIZE, "4M", 64 * SETTINGS_KB,            \
      SETTINGS_GB, NULL, false,                                                                    \
      "What may wait for one slow connection before it is closed.")                                \
    X(limits_connections_per_ip, "limits.connections_per_ip", INT, "200", 1, 1000000, NULL, false, \
      "Connections at the same time from one address (of IPv6: from one /64). Trusted proxies "    \
      "have no limit; the WebSockets that they bring count for who opened them.")                  \
    X(limits_rooms, "limits.rooms", INT, "1000", 1, 1000000, NULL, false,                          \
      "Rooms at the same time.")                                                                   \
    X(limits_peers_per_room, "limits.peers_per_room", INT, "1000", 1, 1000000, NULL, false,        \
      "Peers, viewers included, in one room.")                                                     \
    X(limits_transports_per_peer, "limits.transports_per_peer", INT, "8", 2, 1000, NULL, false,    \
      "Transports of one peer.")                                                                   \
    X(limits_producers_per_peer, "limits.producers_per_peer", INT, "16", 1, 1000, NULL, false,     \
      "Producers of one peer.")                                                                    \
    X(limits_consumers_per_peer, "limits.consumers_per_peer", INT, "500", 1, 100000, NULL, false,  \
      "Consumers of one peer.")                                                                    \
    X(limits_idle, "limits.idle", DURATION, "60s", 5 * SETTINGS_S, 24 * SETTINGS_H, NULL, false,       \
      "A connection that does not answer pings is closed after this time.")                        \
    X(limits_api_per_minute, "limits.api_per_minute", INT, "600", 0, 1000000, NULL, false,         \
      "API requests of one user, on average. 0: no limit, here and below.")                        \
    X(limits_api_burst, "limits.api_burst", INT, "200", 1, 1000000, NULL, false,                   \
      "API requests of one user, at once.")                                                        \
    X(limits_login_per_minute, "limits.login_per_minute", INT, "6", 0, 1000000, NULL, false,       \
      "Failed log-ins to one account from one address, on average.")                               \
    X(limits_login_burst, "limits.login_burst", INT, "10", 1, 1000000, NULL, false,                \
      "Failed log-ins to one account from one address, at once.")                                  \
    X(limits_register_per_minute, "limits.register_per_minute", INT, "2", 0, 1000000, NULL, false, \
      "Accounts made from one address, on average; limits.address_factor times as many.")          \
    X(limits_register_burst, "limits.register_burst", INT, "5", 1, 1000000, NULL, false,           \
      "Accounts made from one address, at once; likewise.")                                        \
    X(limits_create_per_minute, "limits.create_per_minute", INT, "10", 0, 1000000, NULL, false,    \
      "Streams and clips that one user makes, on average.")                                        \
    X(limits_create_burst, "limits.create_burst", INT, "20", 1, 1000000, NULL, false,              \
      "Streams and clips that one user makes, at once.")                                           \
    X(limits_chat_per_minute, "limits.chat_per_minute", INT, "60", 0, 1000000, NULL, false,        \
      "Chat messages of one user, on average; over WebSocket, of one author in a room.")           \
    X(limits_chat_burst, "limits.chat_burst", INT, "10", 1, 1000000, NULL, false,                  \
      "Chat messages of one user, at once.")                                                       \
    X(limits_address_factor, "limits.address_factor", INT, "10", 1, 1000, NULL, false,             \
      "How many times as much an address (of IPv6: a /64) may as a user, since several people "    \
      "share one.")                                                                                \
    X(limits_event_listeners, "limits.event_listeners", INT, "1000", 0, 1000000, NULL, false,      \
      "Connections of /api/events at the same time.")                                              \
    X(limits_buckets, "limits.buckets", INT, "65536", 64, 10000000, NULL, false,                   \
      "Users and addresses whose limits are remembered at the same time; 32 bytes each.")          \
    X(limits_whip_sessions, "limits.whip_sessions", INT, "2000", 1, 1000000, NULL, false,          \
      "Sessions of WHIP and WHEP at the same time.")                                               \
    X(limits_whip_sessions_per_ip, "limits.whip_sessions_per_ip", INT, "100", 1, 1000000, NULL,    \
      false, "Of them, from one address; of IPv6 from one /64.")                                   \
    X(limits_reconnect, "limits.reconnect", DURATION, "15s", 0, SETTINGS_H, NULL, false,           \
      "How long a peer whose connection broke keeps its place in the room.")

#define SETTINGS_GENERAL(X)                                                                        \
    X(demo, "demo", BOOL, "true", 0, 0, NULL, false,                                               \
      "Put a test card on the air as stream demo. Needs ffmpeg.")                                  \
    X(drain, "drain", DURATION, "10s", 0, 24 * SETTINGS_H, NULL, false,                            \
      "After SIGTERM: how long streams may go on before the service ends.")                        \
    X(log_level, "log.level", ENUM, "info", 0, 0, settings_log_levels, false,                      \
      "Least severe log line that is written.")                                                    \
    X(metrics_public, "metrics.public", BOOL, "false", 0, 0, NULL, false,                          \
      "Answer /metrics to everyone, not just to loopback addresses.")
/* clang-format on */

#endif
