/** The clock without koffi: what it makes of a Date in whole milliseconds, against a truth that is known. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/linux/system-clock.ts';
import { PortableClock } from '../../src/probe/portable-clock.ts';
import { StepWatch } from '../../src/probe/step-watch.ts';
import { differenceNs } from '../../src/wire/ntp-time.ts';

const MS = 1_000_000;
const BOOT_WALL_NS = 1_700_000_000_123_456_789n;

/** A host whose clocks are moved by hand; each look at one takes a little while, as it does in life. */
class Host {
  lookNs = 400;
  /** How long the process is kept from running between two looks, as often as it is set. */
  preemptedNs = 0;
  uptimeStepS = 0.01;
  #monoNs = 5_000_000_000;
  #suspendedNs = 0;
  #stepNs = 0;

  readonly sources = {
    monoNs: () => this.#look(),
    wallMs: () => {
      this.#monoNs += this.preemptedNs;
      this.preemptedNs = 0;
      this.#look();
      return Number(this.wallNs() / 1_000_000n);
    },
    uptimeS: () => Math.floor((this.#monoNs + this.#suspendedNs) / 1e9 / this.uptimeStepS) * this.uptimeStepS,
  };

  pass(ns: number): void {
    this.#monoNs += ns;
  }

  step(ns: number): void {
    this.#stepNs += ns;
  }

  suspend(ns: number): void {
    this.#suspendedNs += ns;
  }

  wallNs(): bigint {
    return BOOT_WALL_NS + BigInt(this.#monoNs + this.#suspendedNs + this.#stepNs);
  }

  #look(): number {
    this.#monoNs += this.lookNs;
    return this.#monoNs;
  }
}

/** How far the clock is from the truth right after a reading, ns. */
function errorNs(clock: PortableClock, host: Host): number {
  clock.read();
  return Number(BigInt(clock.wallSeconds) * 1_000_000_000n + BigInt(clock.wallNanoseconds) - host.wallNs());
}

describe('the portable clock', () => {
  it('tells the wall clock within microseconds from the first reading on', () => {
    const host = new Host();
    const clock = new PortableClock(host.sources);
    for (let reading = 0; reading < 1000; reading += 1) {
      host.pass(777_777);
      expect(Math.abs(errorNs(clock, host))).toBeLessThan(5000);
    }
  });

  it('is not moved by being kept from running in the middle of a reading', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 * MS }), { maxLength: 30 }), (delays) => {
        const host = new Host();
        const clock = new PortableClock(host.sources);
        for (const delay of delays) {
          host.preemptedNs = delay;
          host.pass(123_456);
          expect(Math.abs(errorNs(clock, host))).toBeLessThan(5000);
        }
      }),
    );
  });

  it.each([10_000 * MS, -10_000 * MS, 5 * MS, -5 * MS])('shows a step of %d ns as one step of that size', (stepNs) => {
    const host = new Host();
    const clock = new PortableClock(host.sources);
    const watch = new StepWatch();
    const steps: number[] = [];
    const observe = (): void => {
      host.pass(5 * MS);
      clock.read();
      if (watch.observe(clock)) steps.push(watch.lastStepNs);
    };
    for (let tick = 0; tick < 100; tick += 1) observe();
    host.step(stepNs);
    for (let tick = 0; tick < 100; tick += 1) observe();
    expect(steps).toHaveLength(1);
    expect(Math.abs((steps[0] ?? 0) - stepNs)).toBeLessThan(5000);
    expect(Math.abs(errorNs(clock, host))).toBeLessThan(5000);
  });

  it.each([0.01, 1])('tells a suspend where the time since the boot comes in steps of %d s', (uptimeStepS) => {
    const host = new Host();
    host.uptimeStepS = uptimeStepS;
    const clock = new PortableClock(host.sources);
    const readings = new Set<number>();
    for (let look = 0; look < 100; look += 1) {
      host.pass(50 * MS);
      readings.add(clock.suspendedNs());
    }
    expect(readings.size).toBe(1);
    host.suspend(3600e9);
    const [before = 0] = readings;
    expect(Math.abs(clock.suspendedNs() - before - 3600e9)).toBeLessThan(1.1e9);
  });

  it.skipIf(process.platform !== 'linux')("agrees with the kernel's own clocks (needs Linux)", () => {
    const [portable, system] = [new PortableClock(), new SystemClock()];
    const offByNs: number[] = [];
    for (let reading = 0; reading < 200; reading += 1) {
      system.read();
      portable.read();
      const wallNs = differenceNs(
        portable.wallSeconds,
        portable.wallNanoseconds,
        system.wallSeconds,
        system.wallNanoseconds,
      );
      offByNs.push(Math.abs(wallNs - (portable.monoNs - system.monoNs)));
    }
    // Better than the whole milliseconds it is made from. The median: a busy host may keep this process from running in
    // the middle of any one of them.
    expect(offByNs.toSorted((a, b) => a - b)[100]).toBeLessThan(MS);
  });
});
