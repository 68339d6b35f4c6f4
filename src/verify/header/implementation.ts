/** The code of the header, the same in each: it reads tables that stand before it. C99, mbedTLS 2.28 and 3. */
import type { FailureName } from '../../core/failure/catalogue.ts'

/** What the verdicts of the enumeration are called, in its order; null for who is let in. */
export const verdictCodes: readonly (FailureName | null)[] = [
  'verify-not-judged',
  null,
  'certificate-foreign-authority',
  'foreign-chain-invalid',
  'certificate-expired',
  'foreign-not-yet-valid',
  'verify-clock-unset',
  'certificate-unreadable',
  'certificate-is-authority',
  'certificate-cannot-sign',
  'certificate-wrong-usage',
  'identification-none',
  'identification-unfit',
]

/** Before the tables. */
export const declarations: string = `
/* Why somebody is not let in; 1 is the only one who is. handfast_code() says which failure of Handfast it is. */
typedef enum {
  HANDFAST_NOT_JUDGED = 0, /* no certificate was verified in this handshake: also where a session was resumed */
  HANDFAST_ADMITTED = 1,
  HANDFAST_FOREIGN_AUTHORITY,
  HANDFAST_CHAIN_INVALID,
  HANDFAST_EXPIRED,
  HANDFAST_NOT_YET_VALID,
  HANDFAST_CLOCK_UNSET,
  HANDFAST_UNREADABLE,
  HANDFAST_IS_AUTHORITY,
  HANDFAST_KEY_USAGE,
  HANDFAST_WRONG_USAGE,
  HANDFAST_NO_RULE,
  HANDFAST_NAME_UNFIT
} handfast_verdict;

/* The certificates that are trusted, and of which authority of the rules each is. It must live as long as the configuration of TLS. */
typedef struct {
  mbedtls_x509_crt chain;
  unsigned char authority[HANDFAST_ANCHORS_MAX];
  size_t count;
} handfast_anchors;

/* Who is at the other end of one connection. It must live as long as its handshake. */
typedef struct {
  const handfast_anchors *anchors;
  int64_t now;
  int authority;
  int is_deep;
  uint32_t above;
  handfast_verdict verdict;
  char id[65];
} handfast_peer;

/* The anchors of this header. 0, or an error of mbedTLS. */
int handfast_anchors_load(handfast_anchors *anchors);

/* None yet: for a server that adds all of them at run time. */
void handfast_anchors_init(handfast_anchors *anchors);

/*
 * Trusts certificates that came at run time, for an authority that the rules know by this name. DER, or PEM with its final zero counted
 * in the length. 0, or an error of mbedTLS; what could be read of a damaged text vouches for nobody.
 */
int handfast_anchors_add(handfast_anchors *anchors, const char *authority, const unsigned char *bytes, size_t length);

void handfast_anchors_free(handfast_anchors *anchors);

/* Has a server ask for certificates of these authorities, and take nobody without one. */
void handfast_configure(mbedtls_ssl_config *config, handfast_anchors *anchors);

/*
 * Before each handshake, also of a context that is used again.
 *
 * now: seconds since 1970, from a clock that was set; 0 where it was not, and then nobody comes in.
 */
void handfast_begin(mbedtls_ssl_context *ssl, handfast_peer *peer, const handfast_anchors *anchors, int64_t now);

/* After the handshake: the id of the peer, or NULL where nobody was let in. Do not serve whoever has none. */
const char *handfast_id(const handfast_peer *peer);

/* "HF-2106 certificate-expired", for a log. */
const char *handfast_code(const handfast_peer *peer);

/* The verification callback itself, for who installs it in another way; context is the handfast_peer. */
int handfast_verify(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags);
`

/** Behind the tables. */
export const definitions: string = `
#define HANDFAST_NOBODY 255

void handfast_anchors_init(handfast_anchors *anchors) {
  memset(anchors, 0, sizeof *anchors);
  mbedtls_x509_crt_init(&anchors->chain);
}

void handfast_anchors_free(handfast_anchors *anchors) {
  mbedtls_x509_crt_free(&anchors->chain);
  handfast_anchors_init(anchors);
}

/* Notes whose those certificates are that were read since. */
static int handfast_note(handfast_anchors *anchors, unsigned char authority) {
  size_t count = 0;
  const mbedtls_x509_crt *each;
  for (each = &anchors->chain; each != NULL && each->raw.p != NULL; each = each->next) {
    if (count >= HANDFAST_ANCHORS_MAX) return MBEDTLS_ERR_X509_BUFFER_TOO_SMALL;
    if (count >= anchors->count) anchors->authority[count] = authority;
    count++;
  }
  anchors->count = count;
  return 0;
}

int handfast_anchors_load(handfast_anchors *anchors) {
  size_t i;
  handfast_anchors_init(anchors);
  for (i = 0; i < HANDFAST_BUILT_IN; i++) {
    int result = mbedtls_x509_crt_parse_der_nocopy(&anchors->chain, handfast_built_in[i].der, handfast_built_in[i].length);
    if (result == 0) result = handfast_note(anchors, handfast_built_in[i].authority);
    if (result != 0) {
      handfast_anchors_free(anchors);
      return result;
    }
  }
  return 0;
}

int handfast_anchors_add(handfast_anchors *anchors, const char *authority, const unsigned char *bytes, size_t length) {
  unsigned char i;
  int result, noted;
  for (i = 0; i < HANDFAST_AUTHORITIES; i++) {
    if (strcmp(authority, handfast_authorities[i]) == 0) break;
  }
  if (i == HANDFAST_AUTHORITIES) return MBEDTLS_ERR_X509_BAD_INPUT_DATA;
  result = mbedtls_x509_crt_parse(&anchors->chain, bytes, length);
  /* A number above 0 counts certificates that could not be read. */
  noted = handfast_note(anchors, result == 0 ? i : HANDFAST_NOBODY);
  if (result > 0) return MBEDTLS_ERR_X509_INVALID_FORMAT;
  return result != 0 ? result : noted;
}

void handfast_configure(mbedtls_ssl_config *config, handfast_anchors *anchors) {
  mbedtls_ssl_conf_ca_chain(config, &anchors->chain, NULL);
  mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
}

static void handfast_forget_chain(handfast_peer *peer) {
  peer->authority = HANDFAST_NOBODY;
  peer->is_deep = 0;
  peer->above = 0;
}

void handfast_begin(mbedtls_ssl_context *ssl, handfast_peer *peer, const handfast_anchors *anchors, int64_t now) {
  memset(peer, 0, sizeof *peer);
  peer->anchors = anchors;
  peer->now = now;
  handfast_forget_chain(peer);
  mbedtls_ssl_set_verify(ssl, handfast_verify, peer);
}

const char *handfast_id(const handfast_peer *peer) {
  return peer->verdict == HANDFAST_ADMITTED ? peer->id : NULL;
}

const char *handfast_code(const handfast_peer *peer) {
  return handfast_codes[peer->verdict];
}

/* Whose a trusted certificate is, compared as a whole. */
static int handfast_authority_of(const handfast_anchors *anchors, const mbedtls_x509_crt *certificate) {
  size_t i = 0;
  const mbedtls_x509_crt *each;
  for (each = &anchors->chain; each != NULL && each->raw.p != NULL && i < anchors->count; each = each->next, i++) {
    if (each->raw.len == certificate->raw.len && memcmp(each->raw.p, certificate->raw.p, each->raw.len) == 0) {
      return anchors->authority[i];
    }
  }
  return HANDFAST_NOBODY;
}

static int64_t handfast_seconds(const mbedtls_x509_time *time) {
  /* Days since 1970 of the proleptic Gregorian calendar; years begin in March. */
  int64_t year = time->year - (time->mon <= 2), era = year / 400;
  int64_t of_era = year - era * 400, of_year = (153 * (time->mon + (time->mon > 2 ? -3 : 9)) + 2) / 5 + time->day - 1;
  int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
  return days * 86400 + time->hour * 3600 + time->min * 60 + time->sec;
}

static handfast_verdict handfast_dates(const mbedtls_x509_crt *certificate, int64_t now) {
  if (now <= 0) {
#ifdef HANDFAST_WITHOUT_CLOCK
    return HANDFAST_ADMITTED;
#else
    return HANDFAST_CLOCK_UNSET;
#endif
  }
  if (now < handfast_seconds(&certificate->valid_from)) return HANDFAST_NOT_YET_VALID;
  return now > handfast_seconds(&certificate->valid_to) ? HANDFAST_EXPIRED : HANDFAST_ADMITTED;
}

typedef struct {
  const unsigned char *at;
  size_t length;
} handfast_text;

/* The value of an extension. 1 where there is one, 0 where there is none, -1 where they cannot be read. */
static int handfast_extension(const mbedtls_x509_crt *certificate, unsigned char last_of_oid, handfast_text *value) {
  unsigned char *at = certificate->v3_ext.p;
  const unsigned char *end;
  size_t length;
  if (at == NULL || certificate->v3_ext.len == 0) return 0;
  end = at + certificate->v3_ext.len;
  if (mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) return -1;
  end = at + length;
  while (at < end) {
    const unsigned char *own_end;
    int is_it;
    if (mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) return -1;
    own_end = at + length;
    if (mbedtls_asn1_get_tag(&at, own_end, &length, MBEDTLS_ASN1_OID) != 0) return -1;
    /* 2.5.29.x */
    is_it = length == 3 && at[0] == 0x55 && at[1] == 0x1d && at[2] == last_of_oid;
    at += length;
    if (at < own_end && *at == MBEDTLS_ASN1_BOOLEAN) {
      if (mbedtls_asn1_get_tag(&at, own_end, &length, MBEDTLS_ASN1_BOOLEAN) != 0) return -1;
      at += length;
    }
    if (mbedtls_asn1_get_tag(&at, own_end, &length, MBEDTLS_ASN1_OCTET_STRING) != 0) return -1;
    if (is_it) {
      value->at = at;
      value->length = length;
      return 1;
    }
    at = (unsigned char *)(uintptr_t)own_end;
  }
  return 0;
}

/* What it says of its own use (RFC 5280, 4.2.1.3, 4.2.1.9, 4.2.1.12); for whom it is must be said. */
static handfast_verdict handfast_usage(const mbedtls_x509_crt *certificate) {
  static const unsigned char client_auth[] = {0x2b, 6, 1, 5, 5, 7, 3, 2};
  handfast_text value;
  unsigned char *at;
  const unsigned char *end;
  size_t length;
  int found = handfast_extension(certificate, 19, &value);
  if (found < 0) return HANDFAST_UNREADABLE;
  if (found > 0) {
    at = (unsigned char *)(uintptr_t)value.at;
    end = at + value.length;
    if (mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) {
      return HANDFAST_UNREADABLE;
    }
    if (length > 2 && at[0] == MBEDTLS_ASN1_BOOLEAN && at[2] != 0) return HANDFAST_IS_AUTHORITY;
  }
  found = handfast_extension(certificate, 15, &value);
  if (found < 0) return HANDFAST_UNREADABLE;
  if (found > 0) {
    at = (unsigned char *)(uintptr_t)value.at;
    end = at + value.length;
    if (mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_BIT_STRING) != 0 || length < 2) return HANDFAST_UNREADABLE;
    if ((at[1] & 0x80) == 0) return HANDFAST_KEY_USAGE;
  }
  found = handfast_extension(certificate, 37, &value);
  if (found < 0) return HANDFAST_UNREADABLE;
  if (found == 0) return HANDFAST_WRONG_USAGE;
  at = (unsigned char *)(uintptr_t)value.at;
  end = at + value.length;
  if (mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) {
    return HANDFAST_UNREADABLE;
  }
  while (at < end) {
    if (mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_OID) != 0) return HANDFAST_UNREADABLE;
    if (length == sizeof client_auth && memcmp(at, client_auth, length) == 0) return HANDFAST_ADMITTED;
    at += length;
  }
  return HANDFAST_WRONG_USAGE;
}

/* Takes another value of a field: 1 the first or the same again, -1 a second one, which makes it nobody's. */
static int handfast_take(handfast_text *name, const unsigned char *at, size_t length) {
  if (name->at != NULL && (name->length != length || memcmp(name->at, at, length) != 0)) return -1;
  name->at = at;
  name->length = length;
  return 1;
}

/* The one name in the subject. 1 found, 0 none, -1 unfit. */
static int handfast_subject(const mbedtls_x509_crt *certificate, unsigned char last_of_oid, handfast_text *name) {
  const mbedtls_x509_name *each;
  for (each = &certificate->subject; each != NULL; each = each->next) {
    /* 2.5.4.x */
    if (each->oid.len != 3 || each->oid.p[0] != 0x55 || each->oid.p[1] != 4 || each->oid.p[2] != last_of_oid) continue;
    if (each->val.tag != MBEDTLS_ASN1_UTF8_STRING && each->val.tag != MBEDTLS_ASN1_PRINTABLE_STRING &&
        each->val.tag != MBEDTLS_ASN1_IA5_STRING) {
      return -1;
    }
    if (handfast_take(name, each->val.p, each->val.len) < 0) return -1;
  }
  return name->at != NULL;
}

/* The one alternative name of a kind, which mbedTLS before 3.4 does not read. */
static int handfast_alternative(const mbedtls_x509_crt *certificate, unsigned char tag, handfast_text *name) {
  handfast_text value;
  unsigned char *at;
  const unsigned char *end;
  size_t length;
  int found = handfast_extension(certificate, 17, &value);
  if (found <= 0) return found;
  at = (unsigned char *)(uintptr_t)value.at;
  end = at + value.length;
  if (mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) return -1;
  while (at < end) {
    unsigned char own = *at;
    if (mbedtls_asn1_get_tag(&at, end, &length, own) != 0) return -1;
    if (own == tag && handfast_take(name, at, length) < 0) return -1;
    at += length;
  }
  return name->at != NULL;
}

static int handfast_name(const mbedtls_x509_crt *certificate, int from, handfast_text *name) {
  name->at = NULL;
  name->length = 0;
  switch (from) {
    case HANDFAST_FROM_CN:
      return handfast_subject(certificate, 3, name);
    case HANDFAST_FROM_SERIAL:
      return handfast_subject(certificate, 5, name);
    case HANDFAST_FROM_EMAIL:
      return handfast_alternative(certificate, MBEDTLS_ASN1_CONTEXT_SPECIFIC | 1, name);
    case HANDFAST_FROM_DNS:
      return handfast_alternative(certificate, MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2, name);
    default:
      return handfast_alternative(certificate, MBEDTLS_ASN1_CONTEXT_SPECIFIC | 6, name);
  }
}

/* The part of a name that is the identity; 0 where the pattern does not match. Bytes are compared: a zero ends nothing. */
static int handfast_match(const handfast_rule *rule, const handfast_text *name, handfast_text *id) {
  size_t i, state = 1;
  if (name->length < rule->prefix_length + rule->suffix_length || name->length > HANDFAST_NAME_MAX) return 0;
  if (memcmp(name->at, rule->prefix, rule->prefix_length) != 0) return 0;
  if (memcmp(name->at + name->length - rule->suffix_length, rule->suffix, rule->suffix_length) != 0) return 0;
  id->at = name->at + rule->prefix_length;
  id->length = name->length - rule->prefix_length - rule->suffix_length;
  for (i = 0; i < id->length; i++) {
    if (id->at[i] > 127) return 0;
    state = rule->next[state * rule->classes + rule->class_of[id->at[i]]];
    if (state == 0) return 0;
  }
  return rule->accepting[state];
}

/* 1 to 64 letters, digits, ".", "_" and "-", the first a letter or a digit. */
static int handfast_is_id(const handfast_text *id) {
  size_t i;
  if (id->length == 0 || id->length > 64) return 0;
  for (i = 0; i < id->length; i++) {
    unsigned char c = id->at[i];
    int is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!is_plain && (i == 0 || (c != '.' && c != '_' && c != '-'))) return 0;
  }
  return 1;
}

static handfast_verdict handfast_identify(const mbedtls_x509_crt *certificate, handfast_peer *peer) {
  size_t i;
  for (i = 0; i < sizeof handfast_rules / sizeof handfast_rules[0]; i++) {
    const handfast_rule *rule = &handfast_rules[i];
    handfast_text name, id;
    int found;
    if (!rule->about[peer->authority]) continue;
    found = handfast_name(certificate, rule->from, &name);
    if (found < 0) return HANDFAST_NAME_UNFIT;
    if (found == 0 || !handfast_match(rule, &name, &id)) continue;
    if (!handfast_is_id(&id)) return HANDFAST_NAME_UNFIT;
    memcpy(peer->id, id.at, id.length);
    peer->id[id.length] = 0;
    return HANDFAST_ADMITTED;
  }
  return HANDFAST_NO_RULE;
}

static handfast_verdict handfast_judge(const mbedtls_x509_crt *certificate, handfast_peer *peer, uint32_t flags) {
  const uint32_t of_time = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
  handfast_verdict verdict;
  if (((flags | peer->above) & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) return HANDFAST_FOREIGN_AUTHORITY;
  /* A client is signed by an authority that is trusted, and by nobody in between. */
  if (peer->is_deep) return HANDFAST_CHAIN_INVALID;
  if (peer->authority >= HANDFAST_AUTHORITIES) return HANDFAST_FOREIGN_AUTHORITY;
  if (peer->above != 0) return HANDFAST_CHAIN_INVALID;
  verdict = handfast_dates(certificate, peer->now);
  if (verdict != HANDFAST_ADMITTED) return verdict;
  if ((flags & MBEDTLS_X509_BADCERT_FUTURE) != 0) return HANDFAST_NOT_YET_VALID;
  if ((flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0) return HANDFAST_EXPIRED;
  if ((flags & ~of_time) != 0) return HANDFAST_CHAIN_INVALID;
  verdict = handfast_usage(certificate);
  return verdict == HANDFAST_ADMITTED ? handfast_identify(certificate, peer) : verdict;
}

/* mbedTLS calls it for each certificate, the most trusted first and the client's own, at depth 0, last. */
int handfast_verify(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags) {
  handfast_peer *peer = (handfast_peer *)context;
  if (depth > 0) {
    if (depth > 1) peer->is_deep = 1;
    peer->above |= *flags;
    if (handfast_dates(certificate, peer->now) != HANDFAST_ADMITTED && peer->now > 0) {
      peer->above |= MBEDTLS_X509_BADCERT_EXPIRED;
    }
    peer->authority = handfast_authority_of(peer->anchors, certificate);
    return 0;
  }
  peer->verdict = handfast_judge(certificate, peer, *flags);
  if (peer->verdict != HANDFAST_ADMITTED) {
    peer->id[0] = 0;
    *flags |= MBEDTLS_X509_BADCERT_OTHER;
  }
  handfast_forget_chain(peer);
  return 0;
}
`
