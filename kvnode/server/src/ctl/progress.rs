//! What people see while something lasts: a bar on standard error. Where that is no terminal nothing is shown, so that
//! logs and scripts have only what they asked for.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Often enough to look alive.
const TICK: Duration = Duration::from_millis(120);

/// Its length may become known later.
pub(super) fn bar(what: &'static str, of: &'static str) -> ProgressBar {
    let template = format!("{{spinner}} {{msg}}  {{bar:32}}  {{human_pos}} of {{human_len}} {of}  {{elapsed}}");
    let style = ProgressStyle::with_template(&template).expect("the template is made of constants");
    // It draws nothing by itself where there is no terminal.
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style).with_message(what);
    if !bar.is_hidden() {
        bar.enable_steady_tick(TICK);
    }
    bar
}
