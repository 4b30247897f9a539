import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { reconcilerController } from '@orrery/controller';
import type { ControllerContext, ControllerEntry } from './controller-entry.js';

/** The root module: one provider and one Nest controller for each controller of the list. */
@Module({})
export class ControllerManagerModule {
  /** With what each controller is built from. */
  static register(contexts: ReadonlyMap<ControllerEntry, ControllerContext>): DynamicModule {
    const parts = [...contexts].map(([entry, context]) => {
      const token = Symbol(entry.name);
      return {
        provider: { provide: token, useFactory: () => entry.create(context) },
        controller: reconcilerController(entry.name, token),
      };
    });
    return {
      module: ControllerManagerModule,
      providers: parts.map(({ provider }) => provider),
      controllers: parts.map(({ controller }) => controller),
    };
  }
}
