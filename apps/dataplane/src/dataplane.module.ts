import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Fleet } from './fleet/fleet.js';
import { MetricsController } from './metrics.controller.js';
import { PoliciesController } from './rules/policies.controller.js';
import { RulesController } from './rules/rules.controller.js';
import { StateController } from './state.controller.js';

@Module({})
export class DataplaneModule {
  static with(fleet: Fleet): DynamicModule {
    return {
      module: DataplaneModule,
      controllers: [PoliciesController, RulesController, StateController, MetricsController],
      providers: [{ provide: Fleet, useValue: fleet }],
    };
  }
}
