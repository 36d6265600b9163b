//! The JavaScript beside the WebAssembly module: what becomes of tasks, and of a module that has failed.

use std::process::Command;

use wardgate_tests::worker::from_environment;

/// Runs `script` beside `tasks.js`, as a module, with a WebAssembly module that is played by `module`; gives what it prints.
fn run(module: &str, script: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tasks = include_str!("../../edge/src/platform/tasks.js");
    for (name, text) in [
        ("package.json", r#"{ "type": "module" }"#),
        ("tasks.js", tasks),
        ("index.js", module),
        ("main.js", script),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file is written");
    }
    let ran = Command::new(from_environment("WARDGATE_NODE"))
        .arg(folder.path().join("main.js"))
        .output()
        .expect("node runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("text")
}

/// A module that ends a task with what its promise gave, and records what it is told.
const MODULE: &str = r"
export const told = [];
export let resets = 0;
export const __wbg_reset_state = () => { resets += 1; };
export function resume(task, value, isFulfilled) {
  told.push([task, value instanceof Error ? value.message : value, isFulfilled]);
  if (value === 'trap') throw new WebAssembly.RuntimeError('unreachable');
  if (value === 'deep') throw new RangeError('Maximum call stack size exceeded');
  if (value === 'again') return Promise.resolve('done');
  if (value === 'refuse') throw new Error('refused');
  return value;
}
";

#[test]
fn a_task_is_resumed_with_what_it_waited_for_until_it_is_done() {
    let printed = run(
        MODULE,
        r"
import { told } from './index.js';
import { drive, nextTask } from './tasks.js';
const [one, two] = [nextTask(), nextTask()];
console.log(one !== two, await drive(one, Promise.resolve('again')));
console.log(await drive(two, Promise.reject(new Error('lost'))) instanceof Error);
console.log(JSON.stringify(told.map(([task, ...rest]) => [task === one, ...rest])));
",
    );
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[..2], ["true done", "true"]);
    assert_eq!(
        lines[2],
        r#"[[true,"again",true],[true,"done",true],[false,"lost",false]]"#
    );
}

#[test]
fn a_module_that_has_trapped_is_made_anew_before_it_is_called_again() {
    for value in ["trap", "deep"] {
        let script = format!(
            r"
import * as module from './index.js';
import {{ called, drive }} from './tasks.js';
const first = called((generation) => generation);
const failed = await drive(1, Promise.resolve('{value}')).then(() => false, () => true);
console.log(failed, module.resets);
console.log(await drive(2, Promise.resolve('fine')), module.resets);
console.log(called((generation) => generation) - first, module.resets);
"
        );
        let printed = run(MODULE, &script);
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines, ["true 0", "fine 1", "1 1"], "after {value}");
    }
}

#[test]
fn an_error_of_the_module_s_own_is_no_failure_of_the_module() {
    let printed = run(
        MODULE,
        r"
import * as module from './index.js';
import { drive } from './tasks.js';
console.log(await drive(1, Promise.resolve('refuse')).catch((error) => error.message));
console.log(await drive(2, Promise.resolve('fine')), module.resets);
",
    );
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["refused", "fine 0"]);
}
