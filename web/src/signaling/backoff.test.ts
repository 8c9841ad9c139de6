import { expect, it } from 'vitest';
import { backoffDelay } from './backoff';

const opts = { firstMs: 200, maxMs: 5000 };

it('doubles the ceiling until the limit', () => {
  const ceilings = [0, 1, 2, 3, 4, 5, 6, 1000].map((n) => backoffDelay(n, opts, () => 1));
  expect(ceilings).toEqual([200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
});

it('jitters over the upper half, so that clients do not come back in step', () => {
  expect(backoffDelay(2, opts, () => 0)).toBe(400);
  expect(backoffDelay(2, opts, () => 0.5)).toBe(600);
});
