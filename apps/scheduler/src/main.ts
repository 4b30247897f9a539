import { runMain } from '@orrery/component';
import { app } from './index.js';

await runMain(app);
