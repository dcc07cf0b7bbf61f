// @vitest-environment jsdom
// The whole screen over the invented floor.

import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';

import App from './App.svelte';
import { FakeHost, type FakeOptions } from './lib/host/fake';

async function open(options: FakeOptions = {}): Promise<FakeHost> {
  const host = new FakeHost({ hello: { demo: false }, preferences: { language: 'en' }, ...options });
  render(App, { host });
  await waitFor(() => expect(screen.getByTestId('status-line').dataset['mode']).not.toBe('connecting'), { timeout: 3000 });
  return host;
}
const rows = () => screen.findAllByTestId('queue-row');
const key = (name: string) => fireEvent.keyDown(document.body, { key: name });

afterEach(cleanup);

describe('the floor', () => {
  it('says what is wrong and shows the worst queue first', async () => {
    await open();
    expect((await screen.findByTestId('sentence')).textContent).toMatch(/^1 queue late/);
    const all = await rows();
    expect(all[0]?.dataset['need']).toBe('critical');
    expect(within(all[0]!).getByText('Billing EU')).toBeTruthy();
    expect(all[0]!.querySelector('th')?.getAttribute('scope')).toBe('row');
    expect(screen.getByText(/Needs attention · 3/)).toBeTruthy();
    expect(screen.getByTestId('status-line').textContent).toContain('LIVE');
  });

  it('tells 0, – and ? apart in words', async () => {
    await open();
    const all = await rows();
    const row = (name: string) => all.find((one) => one.textContent?.includes(name))!;
    expect(row('Returns').textContent).toContain('0:00');
    expect(row('Wholesale').textContent).toContain('not available from this source');
    expect(row('Nordic shop').textContent).toContain('not known now');
  });

  it('marks rows of a source that is not live, and does not let their wait tick', async () => {
    await open();
    const row = (await rows()).find((one) => one.textContent?.includes('Nordic shop'))!;
    expect(row.dataset['live']).toBe('false');
    expect(row.classList.contains('old')).toBe(true);
    expect(row.textContent).toContain('0:18');
  });

  it('acknowledges the worst alert from the strip', async () => {
    const host = await open();
    const strip = await screen.findByTestId('alert-strip');
    await fireEvent.click(within(strip).getByRole('button', { name: /Acknowledge: Billing EU/ }));
    expect(host.asked).toContainEqual({ ask: 'acknowledge', alert: 'e1' });
    await waitFor(() => expect(strip.textContent).not.toContain('Billing EU'));
  });

  it('acknowledges and snoozes with the keyboard alone', async () => {
    const host = await open();
    await rows();
    await key('j');
    await key('a');
    await waitFor(() => expect(host.asked).toContainEqual({ ask: 'acknowledge', alert: 'e1' }));
    await key('j');
    await key('s');
    await fireEvent.click(await screen.findByRole('menuitem', { name: '15 minutes' }));
    expect(host.asked).toContainEqual({ ask: 'snooze', alert: 'e2', minutes: 15 });
  });

  it('opens the drawer with who waits and who works there, and closes it with Esc', async () => {
    await open();
    await rows();
    await key('j');
    await key('Enter');
    const drawer = await screen.findByTestId('drawer');
    await waitFor(() => expect(drawer.textContent).toContain('Marta L.'));
    expect(drawer.textContent).toContain('Ines Roth');
    expect(drawer.textContent).toContain('≥');
    expect(drawer.textContent).toContain('queue wait, limit 2:00');
    await key('Escape');
    await waitFor(() => expect(screen.queryByTestId('drawer')).toBeNull());
  });

  it('holds the order under the pointer and tells how much waits', async () => {
    const host = await open();
    const names = async () => (await rows()).map((row) => row.dataset['key']);
    const before = await names();
    await fireEvent.pointerEnter((await rows())[0]!.parentElement!);
    host.floor.queues.find((row) => row.name === 'Wholesale')!.need = 'critical';
    host.push();
    const note = await screen.findByTestId('resume');
    expect(note.textContent).toMatch(/1 change — resume/);
    expect(await names()).toEqual(before);
    await fireEvent.click(note);
    await waitFor(async () => expect((await names())[0]).not.toBe(before.at(-1)));
    expect(await names()).not.toEqual(before);
  });

  it('never hides a late queue silently', async () => {
    await open();
    await fireEvent.input(await screen.findByTestId('queue-filter'), { target: { value: 'onboard' } });
    expect(await screen.findByText(/1 queue that is late is hidden by this filter/)).toBeTruthy();
    expect(await rows()).toHaveLength(1);
    await fireEvent.click(screen.getByRole('button', { name: 'Show all' }));
    expect((await rows()).length).toBeGreaterThan(5);
  });

  it('leaves empty personal queues out on request, says how many, and never one with somebody in it', async () => {
    const host = await open({ scene: 'personal' });
    const all = (await rows()).length;
    // Nobody waited when its source told something last: that is 0 as of then, and looks old.
    const old = (await rows()).find((row) => row.textContent?.includes('Jo Lund'))!;
    expect(old.textContent).toContain('0:00');
    expect(old.classList.contains('old')).toBe(true);
    await fireEvent.click(screen.getByTestId('hide-empty'));
    expect((await screen.findByTestId('hidden-empty')).textContent).toContain('8 empty personal queues hidden');
    expect(await rows()).toHaveLength(all - 8);
    expect((await rows()).some((row) => row.textContent?.includes('Priya N.'))).toBe(true);
    expect(host.asked.some((ask) => ask.ask === 'set_preferences' && ask.preferences.hide_empty_personal)).toBe(true);
  });

  it('shows vendor text as text', async () => {
    const host = await open();
    host.floor.queues[3]!.name = '<img src=x onerror=alert(1)>';
    host.push();
    await waitFor(async () => expect((await rows()).some((row) => row.textContent?.includes('<img src=x'))).toBe(true));
    expect(document.querySelector('img')).toBeNull();
  });

  it('draws a window of a long table', async () => {
    await open({ scene: 'big' });
    const all = await rows();
    expect(all.length).toBeLessThan(120);
    expect(screen.getByRole('table').getAttribute('aria-rowcount')).toBe('503');
  });
});

describe('the tense', () => {
  it('is offline in words when nothing is live', async () => {
    await open({ scene: 'offline' });
    const line = screen.getByTestId('status-line');
    expect(line.textContent).toMatch(/OFFLINE since .*\(last data/);
    for (const row of await rows()) expect(row.classList.contains('old')).toBe(true);
    expect((await screen.findByTestId('sentence')).textContent).toContain('Nothing is live');
  });

  it('is offline when the program cannot be reached, and nothing looks live', async () => {
    const host = await open();
    await rows();
    host.setLink({ up: false, since: Date.now() });
    await waitFor(() => expect(screen.getByTestId('status-line').dataset['mode']).toBe('offline'));
    for (const row of await rows()) {
      expect(row.dataset['live']).toBe('false');
      expect(row.classList.contains('old')).toBe(true);
      expect(row.textContent).not.toContain('late');
    }
    expect(screen.getByTestId('card-longest').classList.contains('critical')).toBe(false);
    host.setLink({ up: true });
    await waitFor(() => expect(screen.getByTestId('status-line').dataset['mode']).toBe('live'));
  });

  it('shows the sentence of a configuration that cannot be read, and no floor', async () => {
    await open({ scene: 'config-error' });
    expect((await screen.findByTestId('config-error')).textContent).toContain('did you mean `vendor`?');
    expect(screen.queryAllByTestId('queue-row')).toHaveLength(0);
  });

  it('keeps notices until they are dismissed', async () => {
    await open({ hello: { demo: false, notices: ['The old database was damaged and put aside.'] } });
    const notice = await screen.findByTestId('notice');
    expect(notice.textContent).toContain('put aside');
    await fireEvent.click(within(notice).getByRole('button'));
    expect(screen.queryByTestId('notice')).toBeNull();
  });

  it('says a refused action in words', async () => {
    const host = await open();
    host.floor.alerts[0]!.id = 'gone-meanwhile';
    const strip = await screen.findByTestId('alert-strip');
    await fireEvent.click(within(strip).getAllByTestId('acknowledge')[0]!);
    expect((await screen.findByTestId('notice')).textContent).toContain('over already');
  });
});

describe('first run and demo', () => {
  it('has two doors; the demo is marked on every screen and can be left', async () => {
    await open({ scene: 'empty' });
    await screen.findByTestId('first-run');
    expect(screen.queryByTestId('demo-mark')).toBeNull();
    await fireEvent.click(screen.getByTestId('door-demo'));
    for (const place of ['floor', 'agents', 'conversations', 'alerts', 'sources', 'settings']) {
      await fireEvent.click(await screen.findByTestId(`nav-${place}`));
      expect((await screen.findByTestId('demo-mark')).textContent).toBe('DEMO');
    }
    await fireEvent.click(screen.getByRole('button', { name: 'Leave the demo' }));
    await waitFor(() => expect(screen.queryByTestId('demo-mark')).toBeNull());
  });
});

describe('sources', () => {
  async function form(vendor = 'comm100') {
    const host = await open();
    await fireEvent.click(screen.getByTestId('nav-sources'));
    await fireEvent.click(await screen.findByTestId('source-add'));
    await fireEvent.click(await screen.findByTestId(`vendor-${vendor}`));
    await screen.findByTestId('source-form');
    return host;
  }
  const write = (field: string, value: string) => fireEvent.input(screen.getByTestId(`field-${field}`), { target: { value } });

  it('says a bad link in plain words', async () => {
    await open();
    await fireEvent.click(screen.getByTestId('nav-sources'));
    const line = (await screen.findAllByTestId('source-row')).find((row) => row.dataset['key'] === 'nord')!;
    expect(line.textContent).toContain('retrying');
    expect(line.textContent).toContain('502');
    expect(line.textContent).toContain('next try in');
  });

  it('makes the form from the description and marks what is missing', async () => {
    const host = await form();
    expect(screen.getByTestId('field-site_id').getAttribute('inputmode')).toBe('numeric');
    expect(screen.getByTestId('field-secret').getAttribute('type')).toBe('password');
    await fireEvent.click(screen.getByTestId('source-save'));
    await waitFor(() => expect(screen.getByTestId('field-url').getAttribute('aria-invalid')).toBe('true'));
    expect(host.asked.some((ask) => ask.ask === 'save_source')).toBe(false);
  });

  it('tests and saves; the secret goes out once and stays nowhere on the page', async () => {
    const host = await form();
    await write('name', 'Web shop');
    await write('url', 'https://api.example.com/v4');
    await write('site_id', '42');
    await write('secret', 'not-a-real-secret');
    await fireEvent.click(screen.getByTestId('source-test'));
    expect((await screen.findByTestId('test-report')).dataset['health']).toBe('live');
    await fireEvent.click(screen.getByTestId('source-save'));
    await waitFor(() => expect(screen.queryByTestId('source-form')).toBeNull());
    const saved = host.asked.find((ask) => ask.ask === 'save_source');
    expect(saved).toMatchObject({ form: { id: 'web-shop', keys: { site_id: 42 } }, secret: 'not-a-real-secret', replaces: null });
    expect(document.documentElement.outerHTML).not.toContain('not-a-real-secret');
  });

  it('shows a refused trial in its own words', async () => {
    await form();
    await write('url', 'https://wrong.example.com');
    await write('site_id', '42');
    await write('secret', 'not-a-real-secret');
    await fireEvent.click(screen.getByTestId('source-test'));
    const report = await screen.findByTestId('test-report');
    expect(report.dataset['health']).toBe('denied');
    expect(report.textContent).toContain('the key was refused');
    expect(screen.getByTestId('source-save').textContent).toBe('Save anyway');
  });

  it('puts the program’s word on a field at that field', async () => {
    const host = await form();
    vi.spyOn(host, 'ask').mockRejectedValue({ code: 'invalid_field', sentence: 'This address has no host.', field: 'url' });
    await write('url', 'https://');
    await write('site_id', '42');
    await write('secret', 'x');
    await fireEvent.click(screen.getByTestId('source-save'));
    await screen.findByText('This address has no host.');
    expect(screen.getByTestId('field-url').getAttribute('aria-invalid')).toBe('true');
  });

  it('asks for agreement where the vendor’s description has one', async () => {
    const host = await form('pingstreams');
    await write('project', 'p1');
    await write('secret', 'x');
    await fireEvent.click(screen.getByTestId('source-test'));
    await screen.findByText('Please agree first.');
    expect(host.asked.some((ask) => ask.ask === 'test_source')).toBe(false);
    await fireEvent.click(screen.getByTestId('field-consent'));
    await fireEvent.click(screen.getByTestId('source-test'));
    await screen.findByTestId('test-report');
  });
});

describe('the other places', () => {
  it('sorts agents by time in state and says so', async () => {
    await open();
    await key('2');
    const head = await screen.findByRole('columnheader', { name: /In state/ });
    expect(head.getAttribute('aria-sort')).toBe('none');
    await fireEvent.click(within(head).getByRole('button'));
    await waitFor(() => expect(head.getAttribute('aria-sort')).toBe('descending'));
    const first = (await screen.findAllByTestId('agent-row'))[0]!;
    expect(first.textContent).toContain('Kim Oda');
  });

  it('lists conversations, waiting first, and finds by name', async () => {
    await open();
    await key('3');
    const all = await screen.findAllByTestId('conversation-row');
    expect(all[0]?.dataset['state']).toBe('waiting');
    expect(all.at(-1)?.dataset['state']).toBe('active');
    await fireEvent.input(screen.getByRole('searchbox'), { target: { value: 'marta' } });
    await waitFor(() => expect(screen.getAllByTestId('conversation-row').length).toBeLessThan(all.length));
  });

  it('keeps a preference, shows it at once, and speaks the language that was chosen', async () => {
    const host = await open();
    await key('6');
    await fireEvent.click(await screen.findByTestId('setting-theme-dark'));
    await waitFor(() => expect(document.documentElement.dataset['theme']).toBe('dark'));
    expect(host.asked.some((ask) => ask.ask === 'set_preferences' && ask.preferences.theme === 'dark')).toBe(true);
    await fireEvent.change(screen.getByTestId('setting-language'), { target: { value: 'de' } });
    await screen.findByRole('heading', { name: 'Einstellungen' });
  });

  it('finds anything with Ctrl K', async () => {
    await open();
    await rows();
    await fireEvent.keyDown(document.body, { key: 'k', ctrlKey: true });
    const input = within(await screen.findByTestId('palette')).getByRole('combobox');
    await fireEvent.input(input, { target: { value: 'returns' } });
    await fireEvent.keyDown(input, { key: 'Enter' });
    expect((await screen.findByTestId('drawer')).textContent).toContain('Returns');
  });

  it('leaves the keys to the field one writes in', async () => {
    const host = await open();
    const filter = await screen.findByTestId('queue-filter');
    await fireEvent.keyDown(filter, { key: 'a' });
    expect(host.asked.some((ask) => ask.ask === 'acknowledge')).toBe(false);
  });
});
