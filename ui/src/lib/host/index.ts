// Chooses the host once, by where the page runs.

import type { Host } from './host';
import { insideWindow, WindowHost } from './tauri';
import { socketAddress, WebHost } from './web';

declare global {
  interface Window {
    /** Faults that happened before a host was there; filled by first.js. */
    floorwalkerFaults?: string[];
  }
}

export async function chooseHost(): Promise<Host> {
  // Only design builds know the invented floor at start; the product reaches it through the demo door.
  if (import.meta.env.MODE === 'design') {
    const { FakeHost } = await import('./fake');
    const host = FakeHost.fromAddress(new URL(location.href));
    // Design builds are driven from outside: a storm of alerts, a step, a cut.
    Object.assign(window, { fakeFloor: host });
    return host;
  }
  if (insideWindow()) return new WindowHost();
  const host = new WebHost(socketAddress(new URL(location.href)));
  for (const message of window.floorwalkerFaults ?? []) {
    void host.ask({ ask: 'log', level: 'error', message }).catch(() => undefined);
  }
  return host;
}

export { AskFailure, asFailure, type Host, type Link } from './host';
