import { describe, expect, it } from 'vitest';

import { VENDORS } from '../../lib/host/fake-vendors';
import { en } from '../../lib/words';
import { blank, draftOf, faultsOf, formOf, idFrom, secretOf } from './form';

const comm = VENDORS[0]!;
const ping = VENDORS[1]!;

describe('a source form', () => {
  it('makes a short name that the configuration takes', () => {
    expect(idFrom('Help desk', [])).toBe('help-desk');
    expect(idFrom('  Überlauf & Söhne! ', [])).toBe('uberlauf-sohne');
    expect(idFrom('日本', [])).toBe('source');
    expect(idFrom('Help desk', ['help-desk', 'help-desk-2'])).toBe('help-desk-3');
    expect(idFrom('x'.repeat(80), [])).toMatch(/^[a-z0-9-]{1,32}$/);
  });

  it('asks for what the description requires, and for the secret', () => {
    const draft = blank(comm, []);
    expect(Object.keys(faultsOf(draft, en)).sort()).toEqual(['secret', 'site_id', 'url']);
    draft.fields['url'] = 'https://api.example.com/v4';
    draft.fields['site_id'] = 'ten';
    draft.secret = 'not-a-real-secret';
    expect(faultsOf(draft, en)).toEqual({ site_id: en.form.notInt });
    draft.fields['site_id'] = '10000123';
    expect(faultsOf(draft, en)).toEqual({});
  });

  it('needs agreement where connecting is seen by others', () => {
    const draft = blank(ping, []);
    expect(faultsOf(draft, en)).toHaveProperty('consent');
    draft.consent = true;
    expect(faultsOf(draft, en)).not.toHaveProperty('consent');
  });

  it('hands keys over in their own types and leaves defaults out', () => {
    const draft = blank(comm, []);
    draft.fields = { url: ' https://api.example.com/v4 ', site_id: '10000123', email: '' };
    expect(formOf(draft)).toMatchObject({ url: 'https://api.example.com/v4', keys: { site_id: 10000123 }, poll: null });
    const other = blank(ping, []);
    other.fields = { url: '', project: 'p1', topics: 'a\n\n b ', region: '', drafts: true };
    expect(formOf(other)).toMatchObject({ url: null, keys: { project: 'p1', topics: ['a', 'b'], drafts: true } });
    expect(formOf(other).keys).not.toHaveProperty('region');
  });

  it('never carries a stored secret, and keeps it when nothing is written', () => {
    const draft = draftOf(comm, {
      form: { id: 'shop', name: 'Shop', vendor: 'comm100', enabled: true, url: 'https://api.example.com', ca_file: null, proxy: null, poll: '5s', secret_env: null, console_url: null, keys: { site_id: 7 } },
      secret: 'keychain',
    });
    expect(draft.secret).toBe('');
    expect(secretOf(draft)).toBeNull();
    expect(faultsOf(draft, en)).toEqual({});
    expect(draft.replaces).toBe('shop');
    expect(formOf(draft)).toMatchObject({ id: 'shop', poll: '5s', keys: { site_id: 7 } });
  });
});
