import { runMain } from '@orrery/component';
import { app } from './app.js';

await runMain(app);
