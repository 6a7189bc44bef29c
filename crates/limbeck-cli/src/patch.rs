//! A change as a patch that people read and `git apply` takes.

/// Lines around a change.
const CONTEXT: usize = 3;

#[derive(Clone, Copy, PartialEq)]
enum Op {
    Same,
    Removed,
    Added,
}

/// The unified diff of a file.
pub(crate) fn unified(file: &str, before: Option<&str>, after: &str) -> String {
    let old: Vec<&str> = before.unwrap_or_default().split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let mut out = match before {
        Some(_) => format!("--- a/{file}\n"),
        None => "--- /dev/null\n".to_string(),
    };
    out.push_str(&format!("+++ b/{file}\n"));
    let ops = ops(&old, &new);
    let mut at = 0;
    while let Some(first) = ops[at..].iter().position(|op| *op != Op::Same).map(|first| at + first) {
        let start = first.saturating_sub(CONTEXT).max(at);
        // A hunk goes on as long as the next change is near.
        let mut end = first;
        let mut same = 0;
        while end < ops.len() && same <= 2 * CONTEXT {
            same = if ops[end] == Op::Same { same + 1 } else { 0 };
            end += 1;
        }
        let end = end - same.saturating_sub(CONTEXT);
        hunk(&mut out, &ops, start..end, &old, &new);
        at = end;
    }
    out
}

fn hunk(out: &mut String, ops: &[Op], range: std::ops::Range<usize>, old: &[&str], new: &[&str]) {
    let count = |ops: &[Op], not: Op| ops.iter().filter(|op| **op != not).count();
    let (mut i, mut j) = (count(&ops[..range.start], Op::Added), count(&ops[..range.start], Op::Removed));
    let (olds, news) = (count(&ops[range.clone()], Op::Added), count(&ops[range.clone()], Op::Removed));
    let first = |at: usize, lines: usize| if lines == 0 { at } else { at + 1 };
    out.push_str(&format!("@@ -{},{olds} +{},{news} @@\n", first(i, olds), first(j, news)));
    for op in &ops[range] {
        let (sign, line) = match op {
            Op::Same => (' ', old[i]),
            Op::Removed => ('-', old[i]),
            Op::Added => ('+', new[j]),
        };
        i += usize::from(*op != Op::Added);
        j += usize::from(*op != Op::Removed);
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// What happens to each line: by the longest common subsequence of what is not the same at both ends.
fn ops(old: &[&str], new: &[&str]) -> Vec<Op> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (rest_old, rest_new) = (&old[head..], &new[head..]);
    let tail = rest_old.iter().rev().zip(rest_new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&rest_old[..rest_old.len() - tail], &rest_new[..rest_new.len() - tail]);
    let mut lengths = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i][j] = match a[i] == b[j] {
                true => lengths[i + 1][j + 1] + 1,
                false => lengths[i + 1][j].max(lengths[i][j + 1]),
            };
        }
    }
    let mut ops = vec![Op::Same; head];
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let op = match (i < a.len(), j < b.len()) {
            (true, true) if a[i] == b[j] => Op::Same,
            (true, true) if lengths[i][j + 1] > lengths[i + 1][j] => Op::Added,
            (false, _) => Op::Added,
            _ => Op::Removed,
        };
        ops.push(op);
        i += usize::from(op != Op::Added);
        j += usize::from(op != Op::Removed);
    }
    ops.resize(ops.len() + tail, Op::Same);
    ops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_has_a_hunk_for_each_place() {
        let old: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let new = old.replace("line 2\n", "line 2\nnew a\n").replace("line 18\n", "line 18,\nnew b\n");
        let patch = unified("src/lib.rs", Some(&old), &new);
        let expected = "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,5 +1,6 @@\n line 1\n line 2\n+new a\n line 3\n line 4\n \
                        line 5\n@@ -15,6 +16,7 @@\n line 15\n line 16\n line 17\n-line 18\n+line 18,\n+new b\n line 19\n \
                        line 20\n";
        assert_eq!(patch, expected);
    }

    #[test]
    fn a_new_file_is_all_new() {
        assert_eq!(unified("a.rs", None, "x\ny\n"), "--- /dev/null\n+++ b/a.rs\n@@ -0,0 +1,2 @@\n+x\n+y\n");
        let patch = unified("a.rs", Some("x"), "x\ny");
        assert!(patch.contains("-x\n\\ No newline at end of file\n+x\n+y\n\\ No newline"), "{patch}");
    }
}
