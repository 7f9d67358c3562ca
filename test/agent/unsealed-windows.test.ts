/** What is declared of windows that were given up: from the first one's begin to the last one's end, once for each reason. */

import { describe, expect, it } from 'vitest';
import { UnsealedWindows } from '../../src/agent/unsealed-windows.ts';

function windowAt(start_unix_s: number) {
  return { start: '', start_unix_s, length_s: 60 };
}

describe('windows that were given up', () => {
  it('are none at first', () => {
    expect(new UnsealedWindows().next()).toBeNull();
  });

  it('are one range, also when the clock was set back among them', () => {
    const windows = new UnsealedWindows();
    for (const start of [600, 660, 540, 600]) windows.add(windowAt(start), 'disk');
    expect(windows.next()).toEqual({ kind: 'unsealed', from_unix_s: 540, to_unix_s: 720, windows: 4, reason: 'disk' });
  });

  it('are declared by their reasons, each once, and what comes later is declared anew', () => {
    const windows = new UnsealedWindows();
    windows.add(windowAt(0), 'too_large');
    windows.add(windowAt(60), 'disk');
    windows.add(windowAt(120), 'too_large');
    const declared = [];
    for (let event = windows.next(); event !== null; event = windows.next()) {
      declared.push(`${event.reason} ${event.from_unix_s}-${event.to_unix_s}`);
      windows.declared();
    }
    expect(declared).toEqual(['too_large 0-180', 'disk 60-120']);
    windows.add(windowAt(180), 'disk');
    expect(windows.next()).toMatchObject({ from_unix_s: 180, windows: 1 });
  });
});
