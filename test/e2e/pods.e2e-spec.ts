// What users do with running pods and with the rollout of a Deployment: logs, exec, attach, cp, port-forward, drain.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useCluster } from './harness/index.js';

const cluster = useCluster();
const run = (line: string, stdin = ''): Promise<string> =>
  cluster.run(line, { cwd: cluster.scratch, stdin });
const TESTDATA = join(import.meta.dirname, 'testdata');

beforeAll(async () => {
  await run(`kubectl apply -f ${TESTDATA}/tools.yaml`);
  await run('kubectl create deployment web --image=nginx:1.7.9 --replicas=3');
  await run('kubectl expose deployment web --port=80');
  await run('kubectl wait --for=condition=Ready pod/tools --timeout=60s');
  await run('kubectl rollout status deployment/web --timeout=60s');
}, 150_000);

describe('kubectl logs', () => {
  it('prints all, or the last lines, with times, of one or all containers', async () => {
    await eventually(async () => {
      expect(await run('kubectl logs tools -c main')).toMatch(/^started\nline 1\nline 2\n/);
    });
    expect(await run('kubectl logs tools -c main --tail=0')).toBe('');
    expect(await run('kubectl logs tools -c main --tail=2')).toMatch(/^line \d+\nline \d+\n/);
    expect(await run('kubectl logs tools -c main --timestamps --tail=1')).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line \d+\n/,
    );
    expect(await run('kubectl logs tools -c main --limit-bytes=7')).toBe('started');
    expect(await run('kubectl logs tools --all-containers --prefix --tail=1')).toMatch(
      /^\[pod\/tools\/main\] line \d+/,
    );
    expect(await run('kubectl logs deployment/web 2>/dev/null')).toContain('nginx/1.7.9');
    expect(await run('kubectl logs -l app=web --tail=1')).toMatch(/^(.*\n){3}$/);
    expect(await cluster.refusal('kubectl logs tools -c nobody')).toContain(
      'container nobody is not valid for pod tools',
    );
  });

  it('follows', async () => {
    const log = cluster.shellBackground('kubectl logs -f tools -c main --tail=1');
    const [, first] = await log.waitFor(/^line (\d+)\n/);
    await log.waitFor(new RegExp(`line ${Number(first) + 5}\n`));
    await log.stop();
  });

  it('prints those of the container before the last restart', async () => {
    const script = 'echo going down; sleep 0.3; exit 3';
    await run(`kubectl run crash --image=busybox -- sh -c '${script}'`);
    await eventually(
      async () => {
        expect(await run('kubectl get pod crash')).toMatch(
          /crash +0\/1 +CrashLoopBackOff +[1-9]\d* \(\S+ ago\)/,
        );
      },
      { timeoutMs: 30_000 },
    );
    expect(await run('kubectl logs crash --previous')).toBe('going down\n');
    expect(await run('kubectl describe pod crash')).toMatch(
      /Last State: +Terminated\n +Reason: +Error\n +Exit Code: +3\n[^]*BackOff +.*Back-off restarting failed container crash in pod crash_default/,
    );
    expect(await cluster.refusal('kubectl logs tools -c main --previous')).toContain(
      'previous terminated container "main" in pod "tools" not found',
    );
    await run('kubectl delete pod crash --now');
  });

  it('says why there are none when the image cannot be had', async () => {
    await run('kubectl run lost --image=nosuch/image:v1');
    await eventually(async () => {
      expect(await run('kubectl get pod lost')).toMatch(/ErrImagePull|ImagePullBackOff/);
    });
    expect(await cluster.refusal('kubectl logs lost')).toMatch(
      /container "lost" in pod "lost" is waiting to start: (trying and failing to pull image|image can't be pulled)/,
    );
    expect(await run('kubectl describe pod lost')).toContain('Failed to pull image');
    await run('kubectl delete pod lost --now');
  });
});

describe('kubectl exec', () => {
  it('runs a command of twenty thousand bytes', async () => {
    const word = 'a'.repeat(20_000);
    expect(await run(`kubectl exec tools -c main -- echo ${word}`)).toBe(`${word}\n`);
  });

  it("runs in the container's directory with its environment", async () => {
    expect(await run('kubectl exec tools -c main -- pwd')).toBe('/srv/data\n');
    const env = await run('kubectl exec tools -c main -- env');
    const node = await run('kubectl get pod tools -o jsonpath={.spec.nodeName}');
    for (const line of [
      'GREETING=hello',
      'PASSWORD=s3cret',
      `MY_NODE=${node}`,
      `EXPANDED=hello from ${node}`,
      'CFG_LEVEL=debug',
      'HOSTNAME=tools',
      `KUBERNETES_SERVICE_HOST=127.${cluster.block}.128.1`,
    ])
      expect(env.split('\n')).toContain(line);
    expect(await run('kubectl exec tools -c main -- hostname')).toBe('tools\n');
    const ip = await run('kubectl get pod tools -o jsonpath={.status.podIP}');
    expect(await run('kubectl exec tools -c main -- cat /etc/hosts')).toContain(`${ip}\ttools`);
    expect(await run('kubectl exec tools -c main -- cat /etc/resolv.conf')).toContain(
      `nameserver 127.${cluster.block}.128.10\nsearch default.svc.cluster.local`,
    );
  });

  it('sees the volumes at their paths, shared by the containers of the pod', async () => {
    expect(await run('kubectl exec tools -c main -- cat /etc/settings/app.properties')).toBe(
      'colour=blue\n',
    );
    expect(await run('kubectl exec tools -c main -- cat /run/access/password')).toBe('s3cret');
    expect(await run('kubectl exec tools -c main -- cat hello')).toBe('from side\n');
    expect(
      await run(
        'kubectl exec tools -c main -- cat /var/run/secrets/kubernetes.io/serviceaccount/namespace',
      ),
    ).toBe('default');
  });

  it('sees a changed ConfigMap without a restart', async () => {
    await run(`kubectl patch cm settings -p '{"data": {"app.properties": "colour=green\\n"}}'`);
    await eventually(
      async () => {
        expect(await run('kubectl exec tools -c main -- cat /etc/settings/app.properties')).toBe(
          'colour=green\n',
        );
      },
      { timeoutMs: 80_000 },
    );
  });

  it('passes input, output, errors and the exit code', async () => {
    expect(await run('kubectl exec -i tools -c main -- cat', 'in and out\n')).toBe('in and out\n');
    const { code, stdout, stderr } = await cluster.shell(
      "kubectl exec tools -c main -- sh -c 'echo out; echo err >&2; exit 7'",
      { allowFailure: true },
    );
    expect({ code, stdout }).toEqual({ code: 7, stdout: 'out\n' });
    expect(stderr).toBe('err\ncommand terminated with exit code 7\n');
    expect(await cluster.refusal('kubectl exec tools -c main -- nosuchprogram')).toContain(
      'exec: "nosuchprogram": executable file not found in $PATH',
    );
    const bytes = randomBytes(2_000_000);
    writeFileSync(join(cluster.scratch, 'bytes'), bytes);
    const sum = createHash('md5').update(bytes).digest('hex');
    await run("kubectl exec -i tools -c main -- sh -c 'cat > /srv/data/bytes' < bytes");
    expect(await run('kubectl exec tools -c side -- md5sum /shared/bytes')).toContain(sum);
    expect(await run('kubectl exec tools -c main -- cat /srv/data/bytes | md5sum')).toContain(sum);
  });

  it('gives a terminal, with its size and Ctrl-C', async () => {
    const screen = cluster.shellPty('kubectl exec -it tools -c main -- /bin/bash');
    await screen.waitFor(/tools:\/srv\/data# $/);
    screen.write('tty; export A=kept\r');
    await screen.waitFor(/\/dev\/pts\/\d+/);
    screen.write('sleep 1000\r');
    await screen.waitFor(/sleep 1000\r\n/);
    screen.write('\x03');
    await screen.waitFor(/\^C/);
    screen.write('echo $A-$?\r');
    await screen.waitFor(/kept-130/);
    screen.write('exit\r');
    expect(await screen.exit()).toBe(0);
  });

  it('attaches to what runs, copies files, and runs one-off pods', async () => {
    const attached = cluster.shellBackground('kubectl attach tools -c main');
    await attached.waitFor(/line \d+/);
    await attached.stop();
    writeFileSync(join(cluster.scratch, 'letter'), 'dear pod\n');
    await run('kubectl cp letter tools:/srv/data/letter -c main');
    await run('kubectl cp tools:/srv/data/letter answer -c main');
    expect(readFileSync(join(cluster.scratch, 'answer'), 'utf8')).toBe('dear pod\n');
    const once = await run(
      "kubectl run once --image=busybox --restart=Never --rm -i -- sh -c 'read a; echo got $a'",
      'input\n',
    );
    expect(once).toMatch(/got input\n/);
    expect(once).toMatch(/pod "once" deleted/);
  });
});

describe('kubectl port-forward', () => {
  it.each(['pod', 'deployment', 'service'])('reaches a %s', async (kind) => {
    const name =
      kind === 'pod'
        ? (await run('kubectl get pods -l app=web -o name')).split('\n')[0]
        : `${kind}/web`;
    const forward = cluster.shellBackground(`kubectl port-forward ${name} :80`);
    const [, port] = await forward.waitFor(/Forwarding from 127\.0\.0\.1:(\d+) -> 80/);
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      expect(response.headers.get('server')).toBe('nginx/1.7.9');
      expect(await response.text()).toContain('Welcome to nginx!');
    }
    await forward.stop();
  });
});

describe('kubectl rollout', () => {
  const status = (): Promise<string> => run('kubectl rollout status deployment/web --timeout=60s');
  const image = (): Promise<string> =>
    run('kubectl get deployment web -o jsonpath={..containers[0].image}');

  it('updates, keeps the history, goes back to a revision', async () => {
    await run('kubectl annotate deployment/web kubernetes.io/change-cause=first');
    await run('kubectl set image deployment/web nginx=nginx:1.9.1');
    await run('kubectl annotate deployment/web kubernetes.io/change-cause=second --overwrite');
    expect(await status()).toContain('deployment "web" successfully rolled out\n');
    await eventually(async () => {
      expect(await run('kubectl rollout history deployment/web')).toMatch(
        /^deployment\.apps\/web ?\nREVISION +CHANGE-CAUSE\n1 +first\n2 +second\n/,
      );
    });
    expect(await run('kubectl rollout history deployment/web --revision=1')).toMatch(
      /with revision #1\nPod Template:[^]*Image:\s+nginx:1\.7\.9/,
    );
    expect(await run('kubectl rollout undo deployment/web --to-revision=1')).toBe(
      'deployment.apps/web rolled back\n',
    );
    await status();
    expect(await image()).toBe('nginx:1.7.9');
    expect(await run('kubectl rollout history deployment/web')).toMatch(/\n2 +second\n3 +first\n/);
    expect(await cluster.refusal('kubectl rollout undo deployment/web --to-revision=77')).toContain(
      'unable to find specified revision 77 in history',
    );
  });

  it('pauses and resumes', async () => {
    expect(await run('kubectl rollout pause deployment/web')).toBe('deployment.apps/web paused\n');
    await run('kubectl set image deployment/web nginx=nginx:1.9.1');
    expect(await cluster.refusal('kubectl rollout undo deployment/web')).toContain('paused');
    expect(await run('kubectl get rs -l app=web -o jsonpath={..containers[0].image}')).not.toMatch(
      /1\.9\.1.*1\.9\.1/,
    );
    expect(await run('kubectl rollout resume deployment/web')).toBe(
      'deployment.apps/web resumed\n',
    );
    await status();
    await eventually(async () => {
      const images = await run('kubectl get pods -l app=web -o jsonpath={..containers[0].image}');
      expect(images).toBe('nginx:1.9.1 nginx:1.9.1 nginx:1.9.1');
    });
  });

  it('restarts with new pods', async () => {
    const names = async (): Promise<string[]> =>
      (await run('kubectl get pods -l app=web -o name')).trim().split('\n');
    const before = await names();
    expect(await run('kubectl rollout restart deployment/web')).toBe(
      'deployment.apps/web restarted\n',
    );
    await status();
    await eventually(async () => {
      const after = await names();
      expect(after).toHaveLength(3);
      expect(after.filter((name) => before.includes(name))).toEqual([]);
    });
  });

  it('works for daemon sets too', async () => {
    const set = 'daemonset/kube-proxy -n kube-system';
    await run(`kubectl rollout restart ${set}`);
    expect(await run(`kubectl rollout status ${set} --timeout=60s`)).toContain(
      'successfully rolled out',
    );
    expect(await run(`kubectl rollout history ${set}`)).toMatch(/\n1 +<none>\n2 +<none>\n/);
  });
});

describe('a claim of the standard class', () => {
  it('waits for its first pod, is provisioned on that node, keeps what is written, and goes', async () => {
    await run(`kubectl apply -f ${TESTDATA}/claim.yaml`);
    await eventually(async () => {
      expect(await run('kubectl describe pvc diary')).toMatch(
        /Status: +Pending[^]*WaitForFirstConsumer[^]*waiting for first consumer to be created before binding/,
      );
    });
    await run(`kubectl apply -f ${TESTDATA}/writer.yaml`);
    await run('kubectl wait --for=condition=Ready pod/writer --timeout=60s');
    const read = (what: string, path: string): Promise<string> =>
      run(`kubectl get ${what} -o jsonpath={${path}}`);
    expect(await read('pvc diary', '.status.phase')).toBe('Bound');
    const node = await read('pod writer', '.spec.nodeName');
    const volume = await read('pvc diary', '.spec.volumeName');
    expect(await read(`pv ${volume}`, '.status.phase')).toBe('Bound');
    expect(await read(`pv ${volume}`, '.spec.nodeAffinity')).toContain(node);
    // A second pod finds the volume, on the same node, with what the first wrote.
    await run('kubectl delete pod writer');
    await run(`kubectl apply -f ${TESTDATA}/writer.yaml`);
    await run('kubectl wait --for=condition=Ready pod/writer --timeout=60s');
    expect(await read('pod writer', '.spec.nodeName')).toBe(node);
    expect(await run('kubectl exec writer -- cat /diary/log')).toBe('entry\nentry\n');
    // In use, a deleted claim stays.
    await run('kubectl delete pvc diary --wait=false');
    expect(await run('kubectl get pvc diary')).toContain('Terminating');
    await run('kubectl delete pod writer');
    await eventually(
      async () => {
        expect(await run('kubectl get pvc,pv -o name')).not.toMatch(volume);
        expect(await run('kubectl get pvc -o name')).not.toContain('diary');
      },
      { timeoutMs: 60_000 },
    );
  });
});

describe('maintenance of a node', () => {
  it('cordons, drains and uncordons', async () => {
    expect(await run('kubectl cordon k8s-02')).toBe('node/k8s-02 cordoned\n');
    expect(await run('kubectl get node k8s-02')).toMatch(/Ready,SchedulingDisabled/);
    await run('kubectl delete pod tools --now');
    const refused = await cluster.refusal('kubectl drain k8s-02');
    expect(refused).toContain('DaemonSet-managed Pods (use --ignore-daemonsets to ignore)');
    const drained = await run('kubectl drain k8s-02 --ignore-daemonsets --timeout=60s');
    expect(drained).toMatch(/node\/k8s-02 (drained|evicted)\n$/);
    const there = 'kubectl get pods -A --field-selector spec.nodeName=k8s-02 -o name';
    expect(await run(there)).toMatch(/^pod\/kube-proxy-\w+\n$/);
    await run('kubectl rollout status deployment/web --timeout=60s');
    expect(await run('kubectl uncordon k8s-02')).toBe('node/k8s-02 uncordoned\n');
  });
});
