import { expect, it } from '@jest/globals';
import { StatusError } from '@orrery/apimachinery';
import { SystemClock, createMetrics } from '@orrery/component';
import { createRootCaMeters } from './root-ca.metrics.js';

const refusal = new StatusError(403, 'Forbidden', 'no');

it.each([
  { name: 'success', sync: () => Promise.resolve(), code: '200' },
  { name: 'a refusal', sync: () => Promise.reject(refusal), code: '403' },
  { name: 'another failure', sync: () => Promise.reject(new Error('cut')), code: '500' },
])('counts $name as $code', async ({ sync, code }) => {
  const metrics = createMetrics();
  await createRootCaMeters(metrics, new SystemClock())(sync).catch(() => undefined);
  const text = await metrics.text();
  expect(text).toContain(`root_ca_cert_publisher_sync_total{code="${code}"} 1`);
  expect(text).toContain(`root_ca_cert_publisher_sync_duration_seconds_count{code="${code}"} 1`);
});
