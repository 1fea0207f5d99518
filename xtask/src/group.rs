//! A command with all processes that it starts. wrangler starts processes of its own: they would remain if only
//! wrangler were killed, or if the process that started wrangler died.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// The leader of the group. It waits until its standard input ends, which happens when the [`Group`] is dropped
/// and also when our process dies, for any reason. Then it asks the command to stop, kills it after five
/// seconds, removes the folder, and kills all remaining processes, itself included.
const LEADER: &str = r#"
folder=$1
shift
"$@" < /dev/null &
command=$!
# Whoever reads the command's output is to see it end with the command.
exec > /dev/null 2>&1
read -r _
kill -TERM $command
(sleep 5; kill -KILL $command) &
wait $command
rm -rf -- "$folder"
kill -KILL 0
"#;

/// A running command with all processes that it started, for as long as this object lives.
#[must_use = "dropping a group ends it"]
pub struct Group {
    leader: Child,
}

impl Group {
    /// Makes a command to be spawned as a group. The folder belongs to the group and is removed with it.
    pub fn command(folder: &Path, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", LEADER, "sh"]).arg(folder).arg(program);
        command
    }

    /// Starts a command that [`Group::command`] made.
    pub fn spawn(mut command: Command) -> Result<Self> {
        let leader = command.process_group(0).stdin(Stdio::piped()).spawn();
        Ok(Self { leader: leader.context("cannot run sh")? })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        drop(self.leader.stdin.take());
        // The leader kills itself at the end, so its exit status says nothing.
        let _ = self.leader.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, PipeReader, Read, pipe};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;

    /// Starts a script as a group and reads the first line that it prints.
    fn start(script: &str) -> (Group, TempDir, BufReader<PipeReader>) {
        let folder = TempDir::new().unwrap();
        let (output, writer) = pipe().unwrap();
        let mut command = Group::command(folder.path(), "sh");
        command.args(["-c", script]).stdout(writer);
        let group = Group::spawn(command).unwrap();
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "started\n");
        (group, folder, output)
    }

    /// Reads the remaining output. An output ends when the last process that could write to it is gone.
    fn rest(mut output: BufReader<PipeReader>) -> String {
        let (send, received) = mpsc::channel();
        thread::spawn(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).unwrap();
            send.send(text)
        });
        received.recv_timeout(Duration::from_secs(30)).expect("somebody of the group still lives")
    }

    #[test]
    fn a_group_ends_with_all_its_members_and_its_folder() {
        let (group, folder, output) = start("sleep 600 & echo started; sleep 600");
        drop(group);
        assert_eq!(rest(output), "");
        assert!(!folder.path().exists());
    }

    #[test]
    fn a_command_that_will_not_stop_is_killed() {
        let (group, folder, output) = start("trap '' TERM; sleep 600 & echo started; wait; wait");
        drop(group);
        assert_eq!(rest(output), "");
        assert!(!folder.path().exists());
    }

    #[test]
    fn a_group_does_not_outlive_whoever_started_it() {
        let (mut group, folder, output) = start("sleep 600 & echo started; sleep 600");
        // The same happens to a pipe when the process that holds its other end dies.
        drop(group.leader.stdin.take());
        assert_eq!(rest(output), "");
        assert!(!folder.path().exists());
    }

    #[test]
    fn a_command_that_ends_by_itself_is_heard_to_end() {
        let (_group, _folder, output) = start("echo started; echo failed >&1");
        assert_eq!(rest(output), "failed\n");
    }
}
