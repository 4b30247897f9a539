import { readFileSync } from 'node:fs';
import { followOptions } from '../config/certificate-file.js';
import { followFiles } from '../config/follow-files.js';
import type { ServerServices } from '../extensions.js';
import { measureReloads } from '../health/reload-metrics.js';
import { authenticationConfigurationOf } from './jwt-configuration.js';
import type { JwtConfiguration } from './jwt-configuration.js';
import { JwtAuthenticator } from './jwt.authenticator.js';
import type { JwtIssuer } from './jwt.authenticator.js';
import type { TokenAuthenticator, TokenUser } from './token.js';
import { TokenUnion } from './union.authenticator.js';

const strangersOf = ({ anonymous, anonymousPaths }: JwtConfiguration): string =>
  JSON.stringify([anonymous, anonymousPaths]);

/** The issuers of JSON web tokens that are believed; others when --authentication-config has come to name others. */
export class JwtIssuers implements TokenAuthenticator {
  private current: TokenAuthenticator;

  constructor(
    private readonly configuration: JwtConfiguration,
    private readonly services: ServerServices,
  ) {
    this.current = new TokenUnion(this.authenticators(configuration.issuers));
  }

  private authenticators(issuers: readonly JwtIssuer[]): JwtAuthenticator[] {
    return issuers.map((one) => new JwtAuthenticator(one, this.services.clock));
  }

  authenticateToken(token: string, audiences: readonly string[]): Promise<TokenUser | undefined> {
    return this.current.authenticateToken(token, audiences);
  }

  /**
   * Follows the file until the server stops. New issuers must have given their keys, or are tried again; what the file says
   * of strangers must stay as it was (k8s pkg/kubeapiserver/options/authentication.go:ApplyTo).
   */
  async follow(path: string): Promise<void> {
    const { services } = this;
    const { logger } = services;
    const reloads = measureReloads(services, 'authentication', readFileSync(path, 'utf8'));
    const failed = (error: unknown): void => {
      reloads.failed();
      logger.error('the configuration of authentication stays as it was', { err: String(error) });
    };
    await followFiles([path], followOptions(services), async () => {
      let text: string;
      let next: JwtConfiguration;
      try {
        text = readFileSync(path, 'utf8');
        next = authenticationConfigurationOf(text, `--authentication-config: ${path}`);
      } catch (error) {
        failed(error);
        return true;
      }
      if (strangersOf(next) !== strangersOf(this.configuration)) {
        failed('anonymous: Forbidden: changed from initial configuration file');
        return true;
      }
      const made = this.authenticators(next.issuers);
      try {
        await Promise.all(made.map((one) => one.ready()));
      } catch (error) {
        failed(error);
        return false;
      }
      this.current = new TokenUnion(made);
      reloads.succeeded(text);
      logger.info('tokens are judged by another configuration from now on', { path });
      return true;
    });
  }
}
