import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { CLOCK, LOGGER } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { ApiServerOptions } from './config/options.js';
import { AUTHENTICATOR } from './filters/authentication.js';
import { AuthenticationGuard } from './filters/authentication.guard.js';
import { AUTHORIZER } from './filters/authorization.js';
import { AuthorizationGuard } from './filters/authorization.guard.js';
import { MetricsInterceptor } from './filters/metrics.interceptor.js';
import { StatusFilter } from './filters/status.filter.js';
import type { ServerExtensions } from './extensions.js';
import { RequestMetrics } from './health/request-metrics.js';
import { ApiController } from './rest/api.controller.js';
import { ApiHandler } from './rest/api-handler.js';

export interface ApiServerParts {
  readonly options: ApiServerOptions;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly extensions: ServerExtensions;
  readonly handler: ApiHandler;
  readonly metrics: RequestMetrics;
}

/** The request chain, in order: metrics, authentication, authorization, the handler; one filter for errors. */
@Module({})
export class ApiServerModule {
  static with(parts: ApiServerParts): DynamicModule {
    return {
      module: ApiServerModule,
      controllers: [ApiController],
      providers: [
        { provide: ApiServerOptions, useValue: parts.options },
        { provide: LOGGER, useValue: parts.logger },
        { provide: CLOCK, useValue: parts.clock },
        { provide: AUTHENTICATOR, useValue: parts.extensions.authenticator },
        { provide: AUTHORIZER, useValue: parts.extensions.authorizer },
        { provide: ApiHandler, useValue: parts.handler },
        { provide: RequestMetrics, useValue: parts.metrics },
        { provide: APP_GUARD, useClass: AuthenticationGuard },
        { provide: APP_GUARD, useClass: AuthorizationGuard },
        { provide: APP_INTERCEPTOR, useClass: MetricsInterceptor },
        { provide: APP_FILTER, useClass: StatusFilter },
      ],
    };
  }
}
