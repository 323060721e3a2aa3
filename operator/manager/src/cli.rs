//! The command line.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kvtenant_plan::ImageRef;

/// Keeps the Kubernetes objects of every KVTenant as its spec says.
#[derive(Debug, Parser)]
#[command(
    name = "kvtenant-operator",
    version,
    after_help = "Example: kvtenant-operator run --kvnode-image docker.io/kvtenant/kvnode:0.1.0"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch KVTenants and keep their objects, until SIGTERM
    Run(RunOptions),
    /// Print the definition of KVTenant as YAML
    Crd,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct RunOptions {
    /// Where /metrics is served; ":8080" means all addresses
    #[arg(long, env = "METRICS_ADDR", default_value = ":8080", value_parser = address)]
    pub(crate) metrics_addr: SocketAddr,

    /// Where /livez and /readyz are served
    #[arg(long, env = "HEALTH_ADDR", default_value = ":8081", value_parser = address)]
    pub(crate) health_addr: SocketAddr,

    /// How many tenants are worked on at the same time
    #[arg(long, env = "CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,

    /// Image of new tenants' nodes, with its tag
    #[arg(
        long,
        env = "KVNODE_IMAGE",
        default_value = concat!("docker.io/kvtenant/kvnode:", env!("CARGO_PKG_VERSION")),
        value_parser = |text: &str| text.parse::<ImageRef>()
    )]
    pub(crate) kvnode_image: ImageRef,

    /// How logs are written; json when standard error is no terminal, else text
    #[arg(long, env = "LOG_FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,

    /// What is logged: trace, debug, info, warn, error, or a filter such as "info,kube=debug"
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub(crate) log_level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Json,
    Text,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let full = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.to_owned() };
    full.parse().map_err(|_| "write it as ADDRESS:PORT or :PORT, for example :8080".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_address_may_leave_out_the_host() {
        assert_eq!(address(":8080"), Ok(SocketAddr::from(([0, 0, 0, 0], 8080))));
        assert_eq!(address("127.0.0.1:0"), Ok(SocketAddr::from(([127, 0, 0, 1], 0))));
        assert!(address("8080").is_err());
    }

    /// An image without a version would be `latest`, which is another image every day.
    #[test]
    fn the_node_image_needs_a_tag() {
        let parsed = Cli::try_parse_from(["kvtenant-operator", "run", "--kvnode-image", "kvnode"]);
        assert!(parsed.expect_err("refused").to_string().contains("has no tag"));
    }
}
