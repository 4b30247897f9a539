import { Flag } from '@orrery/component';

/** Flags of what extends and guards the server: webhooks, aggregation, audit, authentication and authorization by others. */
export class ExtensionOptions {
  @Flag(
    'reach webhooks and extension API servers by an endpoint of their Service, not by its cluster IP',
  )
  enableAggregatorRouting: boolean = false;
}
