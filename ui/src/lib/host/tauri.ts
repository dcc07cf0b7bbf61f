// The program behind the window.

import { Channel, invoke } from '@tauri-apps/api/core';

import type { Ask, ViewMessage, ViewSpec } from './gen';
import { asFailure, valueOf, type Answer, type Host, type Link, type Unsubscribe } from './host';

/** Whether the page runs in the app's own window. */
export function insideWindow(): boolean {
  return '__TAURI_INTERNALS__' in window;
}

export class WindowHost implements Host {
  readonly sounds = 'program' as const;

  async ask<A extends Ask>(ask: A): Promise<Answer<A>> {
    try {
      return valueOf(await invoke('ask', { ask })) as Answer<A>;
    } catch (thrown) {
      throw asFailure(thrown);
    }
  }

  async subscribe(spec: ViewSpec, on: (message: ViewMessage) => void): Promise<Unsubscribe> {
    let open = true;
    const channel = new Channel<ViewMessage>();
    channel.onmessage = (message) => {
      if (open) on(message);
    };
    try {
      const id = await invoke('subscribe', { spec, channel });
      return () => {
        open = false;
        invoke('unsubscribe', { id }).catch(() => undefined);
      };
    } catch (thrown) {
      throw asFailure(thrown);
    }
  }

  onLink(on: (link: Link) => void): Unsubscribe {
    on({ up: true });
    return () => undefined;
  }
}
