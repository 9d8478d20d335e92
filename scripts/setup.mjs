/**
 * Installs what the clone needs: `node scripts/setup.mjs core|test|full`.
 *
 * Plain JavaScript without a dependency, because it runs before `npm ci`. Never prompts: it installs as root or through
 * `sudo -n`, and otherwise prints the line to run and ends with 2. The tier `core` then only warns, because the embedded
 * engine simulates without any tool; `$SYSTOLE_ENGINE` says which of the two is meant. Takes well under a second when
 * everything is there.
 * The table of tools is scripts/tools.json, which `systole doctor` reads too.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TIERS = ["core", "test", "full"];
const PROXIES = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
const LOCK_SECONDS = 300;

const say = (text) => process.stderr.write(`setup: ${text}\n`);

class Refusal extends Error {}

/** -1, 0 or 1 as version `a` is below, equal to or above `b`; "5.006" is 5, 6. */
const compareVersions = (a, b) => {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] || 0) - (right[i] || 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
};

const onPath = (tool) =>
  (process.env.PATH || "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder || ".", tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const isPresent = (entry) => (entry.file === undefined ? onPath(entry.tool) : existsSync(entry.file));

const refuseOldNode = (minimum) => {
  const version = process.version.slice(1);
  if (compareVersions(version, minimum) < 0)
    throw new Refusal(`Node ${version} is below ${minimum}: install Node 20.19 or later (nodejs.org, or Debian 13's package)`);
};

const refuseOldTools = (entries) => {
  for (const { tool, version, minimum } of entries) {
    if (minimum === undefined || !onPath(tool)) continue;
    const printed = spawnSync(tool, version, { encoding: "utf8" }).stdout || "";
    const found = /\d+(\.\d+)+/.exec(printed);
    if (found === null) throw new Refusal(`\`${tool} ${version.join(" ")}\` prints no version: it needs to be ${minimum} or later`);
    if (compareVersions(found[0], minimum) < 0)
      throw new Refusal(
        `${tool} ${found[0]} is below ${minimum}: use Debian 12 or later, whose package is new enough, or remove it from PATH (\`SYSTOLE_ENGINE=wasm npm start\` needs no tool)`,
      );
  }
};

/** The package that holds the tool on this release of Debian, as far as apt knows by now. */
const packageOf = (entry) => {
  if (entry.otherwise === undefined) return entry.package;
  const known = spawnSync("apt-cache", ["show", entry.package], { stdio: "ignore" }).status === 0;
  return known ? entry.package : entry.otherwise;
};

const packagesOf = (entries) => [...new Set(entries.map(packageOf))];

const installArguments = (packages) => ["-y", "--no-install-recommends", "-o", `DPkg::Lock::Timeout=${LOCK_SECONDS}`, "install", ...packages];

/** How to run apt-get here: directly as root, through `sudo -n`, or not at all. */
const privilege = () => {
  const kept = PROXIES.filter((name) => process.env[name]).map((name) => `${name}=${process.env[name]}`);
  const env = ["env", "DEBIAN_FRONTEND=noninteractive", ...kept];
  if (process.getuid() === 0) return env;
  if (onPath("sudo") && spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0) return ["sudo", "-n", ...env];
  return undefined;
};

/** What to run by hand where `privilege` finds no way. */
const askForPackages = (packages) => {
  const hasSudo = onPath("sudo");
  const apt = hasSudo ? "sudo apt-get" : "apt-get";
  const [reason, who] = hasSudo ? ["`sudo` needs a password", ""] : ["there is no `sudo`", " as root"];
  const line = `${apt} update && ${apt} ${installArguments(packages).join(" ")}`;
  return `cannot install packages: this user is not root and ${reason}. Run this line${who}, then repeat the command:\n${line}`;
};

const run = ([command, ...args], options = {}) => {
  // Standard output stays free for the command that follows; no standard input, so nothing can ask.
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", 2, 2], cwd: ROOT, ...options });
  if (error) say(error.message);
  return status === 0;
};

const elsewhere = (entries) => {
  const list = packagesOf(entries).join(" ");
  if (process.platform === "darwin" || process.platform === "win32") {
    const way = process.platform === "darwin" ? "a Debian 12 container" : "WSL2 with Debian 12";
    return `missing: ${list}. The tools come from Debian's packages; on this system use ${way} (untested)`;
  }
  return `missing: ${list}. This system has no apt-get: install them in its own way, or use a Debian 12 container`;
};

const installTools = (entries) => {
  const missing = entries.filter((entry) => !isPresent(entry));
  if (missing.length === 0) return;
  if (process.platform !== "linux" || !onPath("apt-get")) throw new Refusal(elsewhere(missing));
  const prefix = privilege();
  if (prefix === undefined) throw new Refusal(askForPackages(packagesOf(missing)));
  say("apt-get update");
  if (!run([...prefix, "apt-get", "-q", "-o", `DPkg::Lock::Timeout=${LOCK_SECONDS}`, "update"]))
    say("the package lists could not be renewed; going on with the old ones");
  const packages = packagesOf(missing);
  say(`apt-get install ${packages.join(" ")}`);
  if (!run([...prefix, "apt-get", "-q", ...installArguments(packages)]))
    throw new Refusal(`apt-get could not install ${packages.join(" ")}; its message is above`);
  const absent = missing.filter((entry) => !isPresent(entry)).map((entry) => entry.tool || entry.file);
  if (absent.length > 0) throw new Refusal(`${absent.join(", ")} still missing after the packages were installed`);
};

const readLock = (path) => {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined;
  }
};

/** Whether node_modules holds exactly what package-lock.json names; optional packages for other platforms may be absent. */
const modulesMatch = () => {
  const wanted = readLock(join(ROOT, "package-lock.json"));
  const installed = readLock(join(ROOT, "node_modules", ".package-lock.json"));
  if (wanted === undefined) throw new Refusal("package-lock.json is missing or not readable: the clone is incomplete");
  if (installed === undefined) return false;
  const same = Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const there = installed[path];
    if (there === undefined) return entry.optional === true || entry.devOptional === true;
    return there.version === entry.version && there.integrity === entry.integrity && existsSync(join(ROOT, path, "package.json"));
  });
  return same && Object.keys(installed).every((path) => wanted[path] !== undefined);
};

const installModules = () => {
  if (modulesMatch()) return;
  say("npm ci");
  // No package needs its install script: native parts come as packages of their own.
  if (!run(["npm", "ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"])) throw new Refusal("`npm ci` failed; its message is above");
};

/** Tools of the tier `core`, without which the embedded engine simulates: a machine that can't install them is no reason to stop. */
const installIfPossible = (entries) => {
  try {
    installTools(entries);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const missing = entries.filter((entry) => !isPresent(entry)).map((entry) => entry.tool || entry.file);
    say(`going on without ${missing.join(", ")}, since the embedded engine needs no tool; ${error.message.replaceAll("\n", " ")}`);
  }
};

const setup = (tier) => {
  if (!TIERS.includes(tier)) throw new Refusal(`usage: node scripts/setup.mjs ${TIERS.join("|")}`);
  const table = JSON.parse(readFileSync(join(ROOT, "scripts", "tools.json"), "utf8"));
  const entries = TIERS.slice(0, TIERS.indexOf(tier) + 1).flatMap((name) => table[name]);
  const engine = process.env.SYSTOLE_ENGINE;
  refuseOldNode(table.node);
  if (tier === "core" && (engine === "wasm" || engine === "reference")) {
    installModules();
    return;
  }
  refuseOldTools(entries);
  installModules();
  if (tier === "core" && engine !== "verilator") installIfPossible(entries);
  else installTools(entries);
  refuseOldTools(entries);
};

try {
  setup(process.argv[2]);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  say(error.message);
  process.exitCode = 2;
}
