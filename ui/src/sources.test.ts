// @vitest-environment jsdom
// The details of a source, over the invented floor.

import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';

import App from './App.svelte';
import { FakeHost } from './lib/host/fake';
import { size } from './places/sources/size';

async function details(): Promise<FakeHost> {
  const host = new FakeHost({ hello: { demo: false }, preferences: { language: 'en' } });
  render(App, { host });
  await waitFor(() => expect(screen.getByTestId('status-line').dataset['mode']).not.toBe('connecting'), { timeout: 3000 });
  await fireEvent.click(screen.getByTestId('nav-sources'));
  const row = (await screen.findAllByTestId('source-row'))[0]!;
  await fireEvent.click(within(row).getByTestId('source-details-open'));
  return host;
}

afterEach(cleanup);

describe('the details of a source', () => {
  it('say that the format changed, where, and how often', async () => {
    const host = await details();
    const drift = await screen.findByTestId('source-drift');
    expect(screen.getByRole('heading', { name: 'Format changed' })).toBeTruthy();
    expect(drift.textContent).toContain('agents › currentstatusid');
    expect(drift.textContent).toContain('unknown word: lunch, training-2');
    expect(drift.textContent).toContain('14 times');
    expect(drift.textContent).toContain('vanished');
    expect(host.asked.some((ask) => ask.ask === 'diagnostics')).toBe(true);
  });

  it('say how it is asked and how it answers', async () => {
    await details();
    const panel = await screen.findByTestId('source-details');
    await waitFor(() => expect(panel.textContent).toContain('every 30 s'));
    expect(panel.textContent).toContain('GET /v4/livechat/realTime/Queue');
    expect(panel.textContent).toContain('503');
    expect(panel.textContent).toContain('1,320 messages');
  });

  it('close with Escape and do not stand beside the form', async () => {
    await details();
    await screen.findByTestId('source-drift');
    await fireEvent.click(screen.getAllByTestId('source-edit')[0]!);
    expect(screen.queryByTestId('source-details')).toBeNull();
    await fireEvent.click(screen.getAllByTestId('source-details-open')[0]!);
    await screen.findByTestId('source-details');
    expect(screen.queryByTestId('source-form')).toBeNull();
    await fireEvent.keyDown(document.body, { key: 'Escape' });
    await waitFor(() => expect(screen.queryByTestId('source-details')).toBeNull());
  });
});

describe('bytes', () => {
  it('are told in the unit that fits', () => {
    expect(size(0, 'en')).toBe('0 byte');
    expect(size(12_340, 'en')).toBe('12 kB');
    expect(size(3_400_000, 'en')).toBe('3.4 MB');
  });
});
