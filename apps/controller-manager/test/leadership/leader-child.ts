import { StatusError } from '@orrery/apimachinery';
import { resources } from '@orrery/api';
import { connect } from '@orrery/client';
import { SystemClock, SystemRandom, createLogger } from '@orrery/component';
import { GuardedClient, LeaderElector, WriteFence } from '@orrery/controller';
import { InformerFactory } from '@orrery/informers';

/**
 * A leader in a process of its own that writes as long as it leads, and tells of each write on stdout. `reckless` goes on
 * writing whatever its lease; `unfenced` does not even tell the server under which lease.
 */
const [server = '', mode = 'careful'] = process.argv.slice(2);
const clock = new SystemClock();
const random = new SystemRandom();
const logger = createLogger({ component: 'leader-child' });
const options = { server, insecureSkipTlsVerify: true };
const client = connect(options);
const elector = new LeaderElector({
  client,
  lease: { namespace: 'kube-system', name: 'paused' },
  identity: `child-${process.pid}`,
  leaseDurationMs: 1000,
  renewDeadlineMs: 800,
  retryPeriodMs: 150,
  clock,
  random,
  logger,
});
const writer = connect({
  ...options,
  ...(mode === 'unfenced' ? {} : { fence: () => elector.fence }),
});
const guarded = new GuardedClient({
  client: writer,
  informers: new InformerFactory({ client, clock, random, logger }),
  fence: new WriteFence(clock),
  beforeWrite: () => {
    if (mode === 'careful') elector.assertMayWrite();
  },
});

const tell = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function writeOn(): Promise<void> {
  try {
    const { metadata } = await guarded.resource(resources.configmaps).create({
      metadata: { generateName: 'by-child-', namespace: 'default' },
    });
    tell(`written ${metadata.resourceVersion}`);
  } catch (error) {
    tell(`refused ${error instanceof StatusError ? error.reason : String(error)}`);
  }
  await clock.sleep(10);
}

await elector.start(new AbortController().signal, async (term) => {
  tell('leading');
  while (!term.aborted || mode !== 'careful') await writeOn();
  tell('stopped');
});
