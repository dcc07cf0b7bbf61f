// The add and edit form as plain values, made from the vendor's own description of its keys. No vendor is
// named here: what a form asks for follows from the description alone.

import type { ConfiguredSource, FieldSpec, FormValue, SourceForm, VendorSpec } from '../../lib/host/gen';
import type { Words } from '../../lib/words';

export interface Draft {
  vendor: VendorSpec;
  /** Id before, when editing. */
  replaces: string | null;
  name: string;
  id: string;
  /** The id follows the name until it is written by hand. */
  idByHand: boolean;
  enabled: boolean;
  poll: string;
  ca_file: string;
  proxy: string;
  secret_env: string;
  console_url: string;
  /** By key of the description, `url` among them; yes-or-no fields hold a boolean. */
  fields: Record<string, string | boolean>;
  /** Never filled from anywhere; leaves the page once, at test or save. */
  secret: string;
  /** A secret is already stored. */
  stored: boolean;
  consent: boolean;
}

export type Faults = Record<string, string>;

export function blank(vendor: VendorSpec, taken: string[]): Draft {
  const fields: Record<string, string | boolean> = {};
  for (const field of vendor.fields) fields[field.key] = startValue(field);
  return {
    vendor,
    replaces: null,
    name: vendor.title,
    id: idFrom(vendor.title, taken),
    idByHand: false,
    enabled: true,
    poll: '',
    ca_file: '',
    proxy: '',
    secret_env: '',
    console_url: '',
    fields,
    secret: '',
    stored: false,
    consent: vendor.consent === null,
  };
}

export function draftOf(vendor: VendorSpec, source: ConfiguredSource): Draft {
  const { form } = source;
  const fields: Record<string, string | boolean> = {};
  for (const field of vendor.fields) {
    const value = field.key === 'url' ? (form.url ?? undefined) : form.keys[field.key];
    fields[field.key] = value === undefined ? startValue(field) : asText(value);
  }
  return {
    vendor,
    replaces: form.id,
    name: form.name,
    id: form.id,
    idByHand: true,
    enabled: form.enabled,
    poll: form.poll ?? '',
    ca_file: form.ca_file ?? '',
    proxy: form.proxy ?? '',
    secret_env: form.secret_env ?? '',
    console_url: form.console_url ?? '',
    fields,
    secret: '',
    stored: source.secret === 'keychain' || source.secret === 'environment',
    // Agreed to when it was added.
    consent: true,
  };
}

function startValue(field: FieldSpec): string | boolean {
  return field.kind.type === 'bool' ? field.default === 'true' : '';
}

function asText(value: FormValue): string | boolean {
  if (typeof value === 'boolean') return value;
  return Array.isArray(value) ? value.join('\n') : String(value);
}

/** `[a-z0-9-]{1,32}` out of a name, unlike those that are taken. */
export function idFrom(name: string, taken: string[]): string {
  const plain = name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 28);
  const base = plain || 'source';
  for (let number = 1; ; number++) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken.includes(id)) return id;
  }
}

const none = (text: string): string | null => (text.trim() === '' ? null : text.trim());

/** What can be told without asking anybody. The program checks everything again. */
export function faultsOf(draft: Draft, w: Words): Faults {
  const faults: Faults = {};
  if (draft.name.trim() === '') faults['name'] = w.form.missing;
  if (!/^[a-z0-9-]{1,32}$/.test(draft.id)) faults['id'] = w.form.badId;
  for (const field of draft.vendor.fields) {
    const value = draft.fields[field.key];
    if (typeof value !== 'string') continue;
    if (field.required && field.default === null && value.trim() === '') faults[field.key] = w.form.missing;
    else if (field.kind.type === 'int' && value.trim() !== '' && !/^-?\d{1,15}$/.test(value.trim())) {
      faults[field.key] = w.form.notInt;
    }
  }
  if (draft.secret === '' && !draft.stored && draft.secret_env.trim() === '') faults['secret'] = w.form.missing;
  if (!draft.consent) faults['consent'] = w.form.consentNeeded;
  return faults;
}

/** The form as the program takes it. Fields left empty are absent, so that the default holds. */
export function formOf(draft: Draft): SourceForm {
  const keys: Record<string, FormValue> = {};
  for (const field of draft.vendor.fields) {
    if (field.key === 'url') continue;
    const value = keyValue(field, draft.fields[field.key]);
    if (value !== null) keys[field.key] = value;
  }
  const url = draft.fields['url'];
  return {
    id: draft.id,
    name: draft.name.trim(),
    vendor: draft.vendor.vendor,
    enabled: draft.enabled,
    url: typeof url === 'string' ? none(url) : null,
    ca_file: none(draft.ca_file),
    proxy: none(draft.proxy),
    poll: none(draft.poll),
    secret_env: none(draft.secret_env),
    console_url: none(draft.console_url),
    keys,
  };
}

function keyValue(field: FieldSpec, value: string | boolean | undefined): FormValue | null {
  if (value === undefined) return null;
  if (typeof value === 'boolean') {
    return value === (field.default === 'true') ? null : value;
  }
  const text = value.trim();
  if (text === '') return null;
  if (field.kind.type === 'int') return Number(text);
  if (field.kind.type === 'list') {
    return text
      .split(/\n/)
      .map((line) => line.trim())
      .filter(Boolean);
  }
  return text;
}

/** The secret to hand over; null keeps the stored one. */
export function secretOf(draft: Draft): string | null {
  return draft.secret === '' ? null : draft.secret;
}
