/**
 * A header for servers in C on mbedTLS: the authorities whose clients they take, and identification rules as tables, with a verification
 * callback. It holds nothing secret, and the same authorities and rules make the same text.
 */
import { HubError, quote } from '../../core/errors.ts'
import { failure } from '../../core/failure/catalogue.ts'
import { isAnchorId } from '../../core/identification/anchor.ts'
import { limits } from '../../core/limits.ts'
import type { IdentificationRule, NameSource } from '../../core/policy/model.ts'
import { nameText } from '../../core/x509/name.ts'
import type { Authority } from '../authorities.ts'
import { declarations, definitions, verdictCodes } from './implementation.ts'
import { type HeaderRule, headerRule } from './rules.ts'

/**
 * @param authorities certificates that are built in; rules may also speak of authorities whose certificates come at run time
 * @param identify rules in the order in which they are tried
 * @throws HubError `verify-rule-unfit`; `verify-settings-invalid` where there is no rule, or an authority that no rule is about
 */
export function mbedtlsHeader(authorities: readonly Authority[], identify: readonly IdentificationRule[]): string {
  if (identify.length === 0) {
    throw new HubError('verify-settings-invalid', 'there is no rule that says whom a certificate speaks for')
  }
  const rules = identify.map(headerRule)
  const ids = [...new Set(rules.flatMap(({ anchors }) => anchors))]
  if (ids.length > limits.verifyAuthoritiesMax || rules.length > limits.verifyAuthoritiesMax) {
    throw new HubError(
      'verify-settings-invalid',
      `more than ${limits.verifyAuthoritiesMax} rules or authorities do not go into a header`,
    )
  }
  // They stand in a comment and in literals of C, and a policy file may have them from anybody.
  const unfit = ids.find((id) => !isAnchorId(id))
  if (unfit !== undefined) {
    throw new HubError('verify-settings-invalid', `a rule is about ${quote(unfit)}, which is no id of an authority`, {
      hint: 'use lower-case letters, digits and "-", the first a letter, 32 at the most',
    })
  }
  const idle = authorities.find(({ id }) => !ids.includes(id))
  if (idle !== undefined) {
    throw new HubError('verify-settings-invalid', `no rule is about the authority ${quote(idle.id)}`)
  }
  return [
    preamble(authorities, ids),
    declarations.trim(),
    '#ifdef __cplusplus\n}\n#endif\n#endif /* HANDFAST_VERIFY_H */',
    '#if defined HANDFAST_VERIFY_IMPLEMENTATION && !defined HANDFAST_VERIFY_IMPLEMENTED\n#define HANDFAST_VERIFY_IMPLEMENTED',
    '#include <string.h>\n\n#include <mbedtls/asn1.h>',
    tables(authorities, ids, rules),
    definitions.trim(),
    '#endif /* HANDFAST_VERIFY_IMPLEMENTATION */',
    '',
  ].join('\n\n')
}

function preamble(authorities: readonly Authority[], ids: readonly string[]): string {
  return `/*
 * Who a client is, for a TLS server on mbedTLS (2.28 and 3). Made by \`handfast verify header\`; docs/verify.md shows it in use.
 *
 * Built in: ${authorities.length === 0 ? 'no certificate' : authorities.map((each) => `${each.id} (${commentText(nameText(each.fields.subject))})`).join(', ')}.
 *
 * In one source file, and in no other:
 *
 *     #define HANDFAST_VERIFY_IMPLEMENTATION
 *     #include "handfast_verify.h"
 */
#ifndef HANDFAST_VERIFY_H
#define HANDFAST_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Certificates that can be trusted at one time, those of run time among them. */
#ifndef HANDFAST_ANCHORS_MAX
#define HANDFAST_ANCHORS_MAX ${Math.max(8, authorities.length * 2)}
#endif

/* Authorities that the rules know by name: ${ids.join(', ')}. */
#define HANDFAST_AUTHORITIES ${ids.length}`
}

/** Names are chosen by others: nothing in them ends a comment or a line. */
function commentText(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9 .,=_@:-]/g, '_').slice(0, 80)
}

function tables(authorities: readonly Authority[], ids: readonly string[], rules: readonly HeaderRule[]): string {
  return [
    fromNumbers,
    `#define HANDFAST_NAME_MAX ${limits.certificateNameCharsMax}`,
    `static const char *const handfast_authorities[] = {${ids.map(cText).join(', ')}};`,
    ...authorities.map(({ der }, i) => `static const unsigned char handfast_der_${i}[] = ${bytes(der)};`),
    builtIn(authorities, ids),
    ...rules.flatMap(ruleTables),
    `typedef struct {
  int from;
  const char *prefix;
  size_t prefix_length;
  const char *suffix;
  size_t suffix_length;
  size_t classes;
  const unsigned char *class_of;
  const unsigned char *next;
  const unsigned char *accepting;
  /* By authority: whether it is about its certificates. */
  unsigned char about[HANDFAST_AUTHORITIES];
} handfast_rule;`,
    `static const handfast_rule handfast_rules[] = {\n${rules.map((rule, i) => ruleRow(rule, i, ids)).join(',\n')}\n};`,
    `static const char *const handfast_codes[] = {\n${verdictCodes.map((code) => `  ${cText(code === null ? 'admitted' : `${failure(code).id} ${code}`)}`).join(',\n')}\n};`,
  ].join('\n\n')
}

const fromNames: Readonly<Record<Exclude<NameSource, 'thumbprint'>, string>> = {
  cn: 'HANDFAST_FROM_CN',
  'subject.serialNumber': 'HANDFAST_FROM_SERIAL',
  'san.email': 'HANDFAST_FROM_EMAIL',
  'san.dns': 'HANDFAST_FROM_DNS',
  'san.uri': 'HANDFAST_FROM_URI',
}

const fromNumbers = Object.values(fromNames)
  .map((name, number) => `#define ${name} ${number}`)
  .join('\n')

/** One that nobody asks for ends the list, since C has no empty one. */
function builtIn(authorities: readonly Authority[], ids: readonly string[]): string {
  const rows = authorities.map(({ id }, i) => `  {handfast_der_${i}, sizeof handfast_der_${i}, ${ids.indexOf(id)}}`)
  return `typedef struct {
  const unsigned char *der;
  size_t length;
  unsigned char authority;
} handfast_built_in_anchor;

#define HANDFAST_BUILT_IN ${rows.length}

static const handfast_built_in_anchor handfast_built_in[] = {\n${[...rows, '  {NULL, 0, 0}'].join(',\n')}\n};`
}

function ruleTables({ automaton }: HeaderRule, i: number): readonly string[] {
  const { classes, next, accepting } = automaton
  return [
    `static const unsigned char handfast_class_${i}[] = ${bytes(classes)};`,
    `static const unsigned char handfast_next_${i}[] = ${bytes(next.flat())};`,
    `static const unsigned char handfast_accepting_${i}[] = ${bytes(accepting.map(Number))};`,
  ]
}

function ruleRow(
  { name, from, prefix, suffix, automaton, anchors }: HeaderRule,
  i: number,
  ids: readonly string[],
): string {
  const about = ids.map((id) => Number(anchors.includes(id)))
  const texts = [prefix, suffix].map((text) => `${cText(text)}, ${text.length}`)
  const places = [`handfast_class_${i}`, `handfast_next_${i}`, `handfast_accepting_${i}`]
  const fields = [fromNames[from], ...texts, automaton.classCount, ...places, `{${about.join(', ')}}`]
  return `  /* ${commentText(name)} */\n  {${fields.join(', ')}}`
}

/** Printable ASCII as a literal: also what C would read as something else, such as ??/ and \\. */
function cText(text: string): string {
  return `"${text.replaceAll(/["\\?]/g, (character) => `\\${character}`)}"`
}

function bytes(values: Iterable<number>): string {
  const all = [...values].map(String)
  const lines = Array.from(
    { length: Math.ceil(all.length / 24) },
    (_, i) => `  ${all.slice(i * 24, i * 24 + 24).join(',')}`,
  )
  return `{\n${lines.join(',\n')}\n}`
}
