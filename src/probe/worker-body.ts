/** What the bodies of both threads share: report ready or failed, run turns until told to stop, answer in between. */

import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { PopprobeError } from '../base/errors.ts';
import { CONTROL, type WorkerMessage } from './worker-handle.ts';

const TURNS_EACH = 16;

/** Takes something out of what the main thread handed over, which would keep it for as long as the thread lives. */
export function takeOut<Data extends object, Key extends keyof Data>(data: Data, key: Key): Data[Key] {
  const value = data[key];
  Reflect.deleteProperty(data, key);
  return value;
}

/** Opens what the thread needs and tells the main thread; on failure tells why and returns null. */
export function openOrReport<Opened>(open: () => Opened, ready: (opened: Opened) => unknown): Opened | null {
  try {
    const opened = open();
    tell({ type: 'ready', ready: ready(opened) });
    return opened;
  } catch (error) {
    tellFailure(error);
    return null;
  }
}

/**
 * Runs turns until the control word says stop, and answers what the main thread asks between two of them; what an answer
 * throws is told, and the thread goes on. The loop never yields to the event loop: nothing else runs here.
 */
export function runUntilStopped(control: Int32Array, turn: () => void, answer: (question: unknown) => unknown): void {
  collectGarbage();
  for (let goesOn = true; goesOn; ) goesOn = runTurns(control, turn, answer);
}

/**
 * A few turns; returns whether there are to be more. V8 puts optimised code in place where a function is entered: a loop that
 * ends only with the thread was not optimised after half a minute.
 */
function runTurns(control: Int32Array, turn: () => void, answer: (question: unknown) => unknown): boolean {
  for (let turns = 0; turns < TURNS_EACH; turns += 1) {
    const word = Atomics.load(control, 0);
    if (word === CONTROL.stop) return false;
    // A stop that came meanwhile stays.
    if (word === CONTROL.question && Atomics.compareExchange(control, 0, word, CONTROL.run) === word) {
      answerOne(answer);
    }
    turn();
  }
  return true;
}

function answerOne(answer: (question: unknown) => unknown): void {
  const question = parentPort && receiveMessageOnPort(parentPort);
  if (!question) return;
  try {
    tell({ type: 'ready', ready: answer(question.message) });
  } catch (error) {
    tellFailure(error);
  }
  collectGarbage();
}

/**
 * What the start, or a new plan, has left behind; from here on nothing is allocated that would have it collected. The
 * first pass empties pages of the heap, the second gives them back. See cli/agent-runtime.ts.
 */
function collectGarbage(): void {
  for (let pass = 0; pass < 2; pass += 1) globalThis.gc?.();
}

function tellFailure(error: unknown): void {
  const parts = error instanceof PopprobeError ? error : { code: '', expected: '', found: '', remedy: '' };
  tell({
    type: 'failed',
    code: parts.code,
    message: String(error),
    expected: parts.expected,
    found: parts.found,
    remedy: parts.remedy,
  });
}

function tell(message: WorkerMessage<unknown>): void {
  parentPort?.postMessage(message);
}
