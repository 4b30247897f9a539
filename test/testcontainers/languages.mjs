// The README's ten lines for other languages, each run with the library of its language where that can be had: installed, or
// got by the language's own package manager.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/checkout.mjs';

const INSTALL_MS = 300_000;
const RUN_MS = 300_000;

function run(cwd, timeout, env, command, ...args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout,
    env: { ...process.env, TESTCONTAINERS_RYUK_DISABLED: 'true', ...env },
  });
  return { ok: status === 0, text: `${error ?? ''}${stdout ?? ''}${stderr ?? ''}` };
}

/** The lines of a language's block, each moved in. */
function example(language, indent) {
  const readme = readFileSync(join(root, 'packages', 'testcontainers', 'README.md'), 'utf8');
  const [, code = ''] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(readme) ?? [];
  if (code === '') throw new Error(`the README has no example for ${language}`);
  return code.replace(/^(?=.)/gm, indent);
}

/** Each: `get` answers the environment of a run, or undefined where the library is not to be had; `source` is what runs. */
export const LANGUAGES = {
  Python: {
    library: 'testcontainers (pip)',
    get(dir) {
      const has = (env) =>
        run(dir, RUN_MS, env, 'python3', '-c', 'import testcontainers.core.wait_strategies').ok;
      if (has({})) return {};
      const target = join(dir, 'site');
      const pip = ['-m', 'pip', 'install', '--quiet', '--target', target, 'testcontainers>=4.13'];
      run(dir, INSTALL_MS, {}, 'python3', ...pip);
      return has({ PYTHONPATH: target }) ? { PYTHONPATH: target } : undefined;
    },
    file: 'example.py',
    source: () => `import re, subprocess
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

${example('python', '')}    open("kubeconfig", "w").write(kubeconfig)
    subprocess.run(["kubectl", "--kubeconfig", "kubeconfig", "get", "nodes"], check=True)
`,
    command: ['python3', 'example.py'],
  },
  Go: {
    library: 'testcontainers-go',
    get(dir) {
      writeFileSync(join(dir, 'go.mod'), 'module example\n');
      return run(dir, INSTALL_MS, {}, 'go', 'mod', 'tidy').ok ? {} : undefined;
    },
    file: 'example_test.go',
    source: () => `package example

import (
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

func TestOrrery(t *testing.T) {
	ctx := context.Background()
${example('go', '\t')}
	require.NoError(t, os.WriteFile("kubeconfig", []byte(kubeconfig), 0o600))
	require.NoError(t, exec.Command("kubectl", "--kubeconfig", "kubeconfig", "get", "nodes").Run())
}
`,
    command: ['go', 'test', './...'],
  },
  Java: {
    library: 'org.testcontainers:testcontainers',
    get(dir) {
      writeFileSync(join(dir, 'pom.xml'), POM);
      mkdirSync(join(dir, 'src', 'main', 'java'), { recursive: true });
      return run(dir, INSTALL_MS, {}, 'mvn', '-q', '-B', 'compile').ok ? {} : undefined;
    },
    file: join('src', 'main', 'java', 'Example.java'),
    source: () => `import java.nio.file.*;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

public class Example {
  public static void main(String[] args) throws Exception {
${example('java', '    ')}
    Files.writeString(Path.of("kubeconfig"), kubeconfig);
    var kubectl = new ProcessBuilder("kubectl", "--kubeconfig", "kubeconfig", "get", "nodes").inheritIO().start();
    int code = kubectl.waitFor();
    orrery.stop();
    System.exit(code);
  }
}
`,
    command: ['mvn', '-q', '-B', 'compile', 'exec:java', '-Dexec.mainClass=Example'],
  },
};

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId><artifactId>example</artifactId><version>1</version>
  <properties><maven.compiler.release>17</maven.compiler.release></properties>
  <dependencies>
    <dependency><groupId>org.testcontainers</groupId><artifactId>testcontainers</artifactId><version>2.0.2</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>2.0.17</version></dependency>
  </dependencies>
</project>
`;

/** Runs each; `check` is told how it went, `skip` what could not be had. */
export function runLanguages(work, check, skip) {
  for (const [name, { library, get, file, source, command }] of Object.entries(LANGUAGES)) {
    const dir = join(work, name);
    mkdirSync(join(dir, file, '..'), { recursive: true });
    writeFileSync(join(dir, file), source());
    const env = get(dir);
    if (env) check(`the README's lines for ${name}`, run(dir, RUN_MS, env, ...command));
    else skip(`the README's lines for ${name}: ${library} cannot be had on this machine`);
  }
}
