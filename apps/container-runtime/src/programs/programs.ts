import type { ProgramName } from '../catalog/catalog.js';
import { echo } from './echo/echo.js';
import { httpd } from './httpd/httpd.js';
import { nginx } from './nginx/nginx.js';
import { coredns } from './coredns/coredns.js';
import { agnhostPause } from './pause/agnhost-pause.js';
import { pause } from './pause/pause.js';
import type { Program } from './program.js';
import { redis } from './redis/redis.js';
import { tomcat } from './tomcat/tomcat.js';

/** The programs that run inside this process; `shell` and `kube-proxy` are host processes. */
export const PROGRAMS: Readonly<Partial<Record<ProgramName, Program>>> = {
  nginx,
  httpd,
  tomcat,
  redis,
  echo,
  pause,
  agnhost: agnhostPause,
  coredns,
};

/** By which command lines each program is meant, so that spelling out an image's own command changes nothing. */
export const OWN_COMMANDS: Readonly<Partial<Record<ProgramName, readonly string[]>>> = {
  nginx: ['nginx'],
  httpd: ['httpd', 'httpd-foreground'],
  tomcat: ['catalina.sh'],
  redis: ['redis-server'],
  pause: ['pause'],
  coredns: ['coredns'],
};
