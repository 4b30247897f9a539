import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { reachablePort } from '@orrery/component';
import { RuntimeFixture, eventually } from '../test/runtime-fixture.js';

const get = (ip: string, port: number, path = '/'): Promise<Response> =>
  fetch(`http://${ip}:${reachablePort(port)}${path}`);

function ask(ip: string, port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: ip, port: reachablePort(port) }, () => {
      socket.write(text);
    });
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(answer);
    });
  });
}

describe('container runtime', () => {
  let fixture: RuntimeFixture;

  beforeAll(async () => {
    fixture = await RuntimeFixture.start(70);
  });

  afterAll(() => fixture.stop());

  it('names itself and is ready once it knows its pod CIDR', async () => {
    await expect(fixture.client.runtime.version({})).resolves.toMatchObject({
      runtimeName: 'orrery',
      runtimeApiVersion: 'v1',
    });
    const { status } = await fixture.client.runtime.status({});
    expect(status?.conditions.map(({ type, status: ok }) => [type, ok])).toEqual([
      ['RuntimeReady', true],
      ['NetworkReady', true],
    ]);
  });

  it('runs nginx, which names pod, node, image and version, and ends gracefully', async () => {
    const pod = await fixture.runPod('web');
    expect(pod.ip).toMatch(/^127\.207\.70\./);
    const id = await fixture.run(pod.id, 'nginx:1.7.9');
    const response = await get(pod.ip, 80);
    expect(response.headers.get('server')).toBe('nginx/1.7.9');
    expect(response.headers.get('x-pod')).toBe('web');
    expect(await response.text()).toMatch(/pod: web\nnode: node-1\nimage: nginx:1.7.9/);
    const stopping = fixture.client.runtime.stopContainer({ containerId: id, timeout: 10 });
    const late = await get(pod.ip, 80);
    expect(late.status).toBe(200);
    await stopping;
    await expect(get(pod.ip, 80)).rejects.toThrow('fetch failed');
    expect(await fixture.status(id)).toMatchObject({
      state: 'CONTAINER_EXITED',
      exitCode: 0,
      reason: 'Completed',
    });
    expect(await fixture.log()).toMatch(/^stdout F .*"GET \/ HTTP\/1.1" 200 /m);
  });

  it('serves the files of a volume in nginx', async () => {
    const html = join(fixture.folder, 'html');
    await mkdir(html);
    await writeFile(join(html, 'index.html'), 'mine\n');
    const pod = await fixture.runPod('files');
    await fixture.run(pod.id, 'nginx', {
      mounts: [{ containerPath: '/usr/share/nginx/html', hostPath: html }],
    });
    expect(await (await get(pod.ip, 80)).text()).toBe('mine\n');
    expect((await get(pod.ip, 80, '/none')).status).toBe(404);
  });

  it('crashes the second container that wants a port, and says why', async () => {
    const pod = await fixture.runPod('conflict');
    await fixture.run(pod.id, 'nginx', { metadata: { name: 'first' } });
    const second = await fixture.run(pod.id, 'nginx', { metadata: { name: 'second' } });
    expect(await fixture.exited(second)).toMatchObject({ exitCode: 1, reason: 'Error' });
    expect(await fixture.log('second')).toContain(
      'bind() to 0.0.0.0:80 failed (98: Address already in use)',
    );
  });

  it.each([
    { name: 'httpd', image: 'httpd:2.4', port: 80, body: 'It works!' },
    { name: 'tomcat', image: 'tomcat:8', port: 8080, body: 'Apache Tomcat/8' },
    {
      name: 'echo for any other name',
      image: 'corp.example/team/app:v3',
      port: 8080,
      body: 'version: v3',
    },
  ])('runs $name', async ({ image, port, body }) => {
    const pod = await fixture.runPod('program');
    await fixture.run(pod.id, image);
    expect(await (await get(pod.ip, port)).text()).toContain(body);
  });

  it('answers UDP on declared ports and HTTP on declared TCP ports in an unknown image', async () => {
    const pod = await fixture.runPod('ports');
    const ports = [
      { containerPort: 9001, protocol: 'TCP' },
      { containerPort: 9002, protocol: 'UDP' },
    ];
    await fixture.run(pod.id, 'team/app', {
      annotations: { 'io.kubernetes.container.ports': JSON.stringify(ports) },
    });
    expect(await (await get(pod.ip, 9001)).text()).toContain('pod: ports');
    const socket = createSocket('udp4');
    const answer = once(socket, 'message');
    socket.send('hi', 9002, pod.ip);
    expect(String((await answer)[0])).toBe('ports: hi');
    socket.close();
  });

  it('runs kube-proxy as a process that finds its files below ORRERY_ROOTFS', async () => {
    const components = join(fixture.folder, 'components');
    await mkdir(components);
    await writeFile(
      join(components, 'kube-proxy.js'),
      'console.log(process.argv.slice(2).join(" ")); console.log(require("fs").readFileSync(process.env.ORRERY_ROOTFS + "/var/lib/kube-proxy/config.conf", "utf8")); console.log(process.env.NODE_COMPILE_CACHE); setInterval(() => {}, 1000);',
    );
    const config = join(fixture.folder, 'kube-proxy-config');
    await mkdir(config);
    await writeFile(join(config, 'config.conf'), 'mode: ipvs');
    const { NODE_COMPILE_CACHE: compiled } = process.env;
    process.env['NODE_COMPILE_CACHE'] = join(fixture.folder, 'compiled');
    const pod = await fixture.runPod('kube-proxy', {
      linux: { securityContext: { namespaceOptions: { network: 'NODE' } } },
    });
    expect(pod.ip).toBe('');
    const id = await fixture.run(pod.id, 'registry.k8s.io/kube-proxy:v1.36.4', {
      metadata: { name: 'kube-proxy' },
      command: ['/usr/local/bin/kube-proxy', '--config=/var/lib/kube-proxy/config.conf'],
      mounts: [{ containerPath: '/var/lib/kube-proxy', hostPath: config }],
    });
    await eventually(async () => {
      expect(await fixture.log('kube-proxy')).toBe(
        `stdout F --config=/var/lib/kube-proxy/config.conf\nstdout F mode: ipvs\nstdout F ${join(fixture.folder, 'compiled')}\n`,
      );
    });
    if (compiled === undefined) delete process.env['NODE_COMPILE_CACHE'];
    else process.env['NODE_COMPILE_CACHE'] = compiled;
    await fixture.client.runtime.stopContainer({ containerId: id, timeout: 5 });
    expect(await fixture.status(id)).toMatchObject({ exitCode: 143 });
  });

  it('runs redis', async () => {
    const pod = await fixture.runPod('redis');
    await fixture.run(pod.id, 'redis:7');
    const answer = await ask(
      pod.ip,
      6379,
      'PING\r\nSET a 5\r\nINCR a\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\nEXPIRE a 9\r\nKEYS *\r\nDEL a b\r\nGET a\r\nQUIT\r\n',
    );
    expect(answer.split('\r\n')).toEqual(
      '+PONG +OK :6 $1 6 :1 *1 $1 a :1 $-1 +OK'.split(' ').concat(''),
    );
  });

  it('runs a host command in the files, environment and hostname of its pod', async () => {
    const config = join(fixture.folder, 'config');
    await mkdir(config);
    await writeFile(join(config, 'key'), 'value\n');
    const pod = await fixture.runPod('cmd');
    const id = await fixture.run(pod.id, 'busybox', {
      metadata: { name: 'cmd' },
      command: ['sh', '-c'],
      args: [
        'cat /etc/config/key; echo $NAME $POD_IP >&2; cat /proc/sys/kernel/hostname; cat /etc/hostname; echo x > /tmp/mine; exit 7',
      ],
      envs: [{ key: 'NAME', value: 'n1' }],
      mounts: [{ containerPath: '/etc/config', hostPath: config }],
    });
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 7, reason: 'Error' });
    const log = (await fixture.log('cmd')).split('\n');
    expect(log.filter((line) => line.startsWith('stdout'))).toEqual([
      'stdout F value',
      'stdout F cmd',
      'stdout F cmd',
    ]);
    expect(log).toContain(`stderr F n1 ${pod.ip}`);
  });

  it("has the node's hostname in the host's network", async () => {
    const pod = await fixture.runPod('host', {
      hostname: '',
      linux: { securityContext: { namespaceOptions: { network: 'NODE' } } },
    });
    const id = await fixture.run(pod.id, 'busybox', {
      metadata: { name: 'host' },
      command: ['sh', '-c', 'cat /proc/sys/kernel/hostname /etc/hostname; echo $HOSTNAME'],
    });
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 0 });
    expect(await fixture.log('host')).toBe('stdout F node-1\nstdout F node-1\nstdout F node-1\n');
  });

  it("listens on each of the node's addresses in the host's network", async () => {
    const pod = await fixture.runPod('host-echo', {
      linux: { securityContext: { namespaceOptions: { network: 'NODE' } } },
    });
    const ports = JSON.stringify([{ containerPort: 18_370 }]);
    const id = await fixture.run(pod.id, 'echo', {
      annotations: { 'io.kubernetes.container.ports': ports },
    });
    await eventually(async () => {
      for (const ip of ['127.207.0.1', '127.207.0.2'])
        expect((await get(ip, 18_370)).ok).toBe(true);
    });
    await fixture.client.runtime.stopContainer({ containerId: id, timeout: 5 });
  });

  it.each([
    { image: 'nginx', uid: { value: 0 } },
    { image: 'registry.k8s.io/e2e-test-images/nonroot:1.0', uid: { value: 1234 } },
    { image: 'corp.example/team/app', uid: undefined },
  ])('says whom $image runs as, where that is known', async ({ image, uid }) => {
    await fixture.client.images.pullImage({ image: { image } });
    const { image: found } = await fixture.client.images.imageStatus({ image: { image } });
    expect(found?.uid).toEqual(uid);
  });

  it('ends a shell image without command at once', async () => {
    const pod = await fixture.runPod('idle');
    const id = await fixture.run(pod.id, 'busybox');
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 0, reason: 'Completed' });
  });

  it.each([
    { name: 'SIGTERM', script: 'echo on; exec sleep 100', timeout: 5, exitCode: 143 },
    { name: 'SIGKILL without grace', script: 'echo on; exec sleep 100', timeout: 0, exitCode: 137 },
    {
      name: 'SIGKILL of what ignores SIGTERM',
      script: 'trap "" TERM; echo on; while :; do sleep 0.1; done',
      timeout: 1,
      exitCode: 137,
    },
  ])('stops a command by $name', async ({ script, timeout, exitCode }) => {
    const pod = await fixture.runPod('stop');
    const id = await fixture.run(pod.id, 'busybox', {
      metadata: { name: `stop-${exitCode}-${timeout}` },
      command: ['sh', '-c', script],
    });
    await eventually(async () => {
      expect(await fixture.log(`stop-${exitCode}-${timeout}`)).toContain('on');
    });
    await fixture.client.runtime.stopContainer({ containerId: id, timeout });
    expect(await fixture.status(id)).toMatchObject({ exitCode, reason: 'Error' });
  });

  it('refuses to start what is not there, as runc does', async () => {
    const pod = await fixture.runPod('none');
    const id = await fixture.create(pod.id, 'busybox', { command: ['no-such-command'] });
    await expect(fixture.client.runtime.startContainer({ containerId: id })).rejects.toThrow(
      'exec: "no-such-command": executable file not found in $PATH',
    );
    expect(await fixture.status(id)).toMatchObject({ exitCode: 127, reason: 'StartError' });
  });

  it('runs a command beside a program (ExecSync)', async () => {
    const pod = await fixture.runPod('beside');
    const id = await fixture.run(pod.id, 'nginx', { envs: [{ key: 'A', value: 'b c' }] });
    const result = await fixture.client.runtime.execSync({
      containerId: id,
      cmd: ['sh', '-c', 'echo "$A"; echo no >&2; exit 3'],
    });
    expect(Buffer.from(result.stdout).toString()).toBe('b c\n');
    expect(Buffer.from(result.stderr).toString()).toBe('no\n');
    expect(result.exitCode).toBe(3);
    await expect(
      fixture.client.runtime.execSync({ containerId: id, cmd: ['sleep', '9'], timeout: 1 }),
    ).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it.each([
    { image: 'x.invalid/a', code: 'UNKNOWN', text: 'no such host' },
    {
      image: 'nginx:nosuch',
      code: 'NOT_FOUND',
      text: 'failed to pull and unpack image "docker.io/library/nginx:nosuch": failed to resolve reference "docker.io/library/nginx:nosuch": docker.io/library/nginx:nosuch: not found',
    },
    { image: 'unauthorized/app', code: 'UNKNOWN', text: 'pull access denied' },
    { image: 'Bad Name', code: 'INVALID_ARGUMENT', text: 'invalid reference format' },
  ])('fails to pull $image', async ({ image, code, text }) => {
    await expect(fixture.client.images.pullImage({ image: { image } })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(text) as unknown,
    });
  });

  it('lists, shows and removes images', async () => {
    const { imageRef } = await fixture.client.images.pullImage({ image: { image: 'a/b:1' } });
    const { image } = await fixture.client.images.imageStatus({ image: { image: 'a/b:1' } });
    expect(image).toMatchObject({ id: imageRef, repoTags: ['docker.io/a/b:1'] });
    await fixture.client.images.removeImage({ image: { image: imageRef } });
    await expect(
      fixture.client.images.imageStatus({ image: { image: 'a/b:1' } }),
    ).resolves.not.toHaveProperty('image');
  });

  it('tells events and ends a container as its script says', async () => {
    const pod = await fixture.runPod('script', {
      annotations: { 'orrery.dev/exit-after': '100ms', 'orrery.dev/exit-code': '42' },
    });
    const seen: string[] = [];
    const events = fixture.client.runtime.getContainerEvents({});
    const reading = (async () => {
      for await (const event of events) {
        if (event.podSandboxStatus?.id !== pod.id) continue;
        seen.push(event.containerEventType);
        if (seen.at(-1) === 'CONTAINER_STOPPED_EVENT') break;
      }
    })();
    await eventually(() => expect(true).toBe(true));
    const id = await fixture.run(pod.id, 'nginx');
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 42 });
    await reading;
    expect(seen).toContain('CONTAINER_STARTED_EVENT');
  });

  it('reopens a rotated log', async () => {
    const pod = await fixture.runPod('rotate');
    const id = await fixture.run(pod.id, 'nginx', { metadata: { name: 'rotate' } });
    await get(pod.ip, 80);
    const path = join(fixture.logs, 'rotate.log');
    await writeFile(`${path}.1`, await readFile(path));
    await writeFile(path, '');
    await fixture.client.runtime.reopenContainerLog({ containerId: id });
    await get(pod.ip, 80, '/again');
    expect(await readFile(path, 'utf8')).toMatch(/"GET \/again/);
  });

  it('removes a pod with everything in it', async () => {
    const pod = await fixture.runPod('gone');
    const id = await fixture.run(pod.id, 'busybox', { command: ['sleep', '100'] });
    await fixture.client.runtime.stopPodSandbox({ podSandboxId: pod.id });
    await fixture.client.runtime.removePodSandbox({ podSandboxId: pod.id });
    await expect(fixture.status(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each(['checkpointContainer'] as const)('refuses %s by name', async (rpc) => {
    await expect(fixture.client.runtime[rpc]({})).rejects.toMatchObject({
      code: 'UNIMPLEMENTED',
      message: `method ${rpc.charAt(0).toUpperCase()}${rpc.slice(1)} not implemented`,
    });
  });
});
