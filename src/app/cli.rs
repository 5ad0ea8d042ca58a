//! The command line: what can be said, and the help that tells it.

use clap::{Args, Parser, Subcommand};

use super::config::Flags;

/// Moves vendors and orders between Procore and an ERP: nothing lost, nothing written twice.
#[derive(Debug, Parser)]
#[command(name = "ml-connector", version, after_help = FIRST_STEPS, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const FIRST_STEPS: &str = "\
First steps:
  ml-connector demo                      everything at once, against simulated systems
  ml-connector account create --name \"Acme Construction\" --email you@example.com
  ml-connector serve                     then open http://127.0.0.1:8080

Each setting is taken from the flag, else from the environment variable named beside it, else from
`ml-connector.toml` in the current folder (MLC_LISTEN is `listen` there), else from its default.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(Serve),
    Demo(Demo),
    Sandbox(Sandbox),
    Migrate(Migrate),
    #[command(subcommand)]
    Account(Account),
    #[command(subcommand)]
    Audit(Audit),
    #[command(subcommand)]
    Keys(Keys),
    /// Print the OpenAPI document of the JSON API
    Openapi,
}

/// Run the web pages, the API and the workers in one process.
#[derive(Debug, Args)]
#[command(after_help = SERVE_HELP)]
pub struct Serve {
    #[command(flatten)]
    pub server: ServerFlags,
    #[command(flatten)]
    pub storage: StorageFlags,
    #[command(flatten)]
    pub log: LogFlags,
}

const SERVE_HELP: &str = "\
Secrets have no flag, because a command line is seen by everybody on the machine:
  MLC_MASTER_KEY           the key that seals credentials, instead of a file: v1:BASE64 of 32 bytes[,v2:…];
                           the last one seals, all of them open
  MLC_DATABASE_URL         may hold a password; prefer it to --database-url then

Examples:
  ml-connector serve
  ml-connector serve --listen 0.0.0.0:8080 --public-url https://connector.example.com
  MLC_DATABASE_URL=postgres://mlc:…@db/mlc ml-connector serve --master-key-file /run/secrets/master-key

It migrates the database first, answers GET /healthz and GET /readyz, and stops within 10 s of SIGTERM.";

/// Run the product against simulated systems, with an account, both sides connected and mapped.
#[derive(Debug, Args)]
#[command(after_help = DEMO_HELP)]
pub struct Demo {
    /// Keep what an earlier demo left, instead of starting anew
    #[arg(long)]
    pub keep: bool,
    /// Print the address and the sign-in as one line of JSON, with an API token
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub ports: SandboxPorts,
    #[command(flatten)]
    pub server: ServerFlags,
    /// The folder in whose `demo` folder its data lies [MLC_DATA_DIR, default ./data]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<String>,
    #[command(flatten)]
    pub log: LogFlags,
}

const DEMO_HELP: &str = "\
Examples:
  ml-connector demo
  ml-connector demo --keep --listen 127.0.0.1:9090

Needs no vendor account, and nothing leaves this machine. Its data lies in data/demo, apart from any
other, under a key and a database of its own.";

/// Run the simulated systems alone.
#[derive(Debug, Args)]
#[command(after_help = SANDBOX_HELP)]
pub struct Sandbox {
    #[command(flatten)]
    pub ports: SandboxPorts,
    #[command(flatten)]
    pub log: LogFlags,
}

const SANDBOX_HELP: &str = "\
Example:
  ml-connector sandbox --procore-port 4010 --infor-port 4020

Each simulator also answers under /_sandbox/: its state, its ledger of writes, faults and its clock.";

/// Where the simulated systems listen, on 127.0.0.1, and what they are seeded with.
#[derive(Debug, Clone, Args)]
pub struct SandboxPorts {
    /// Port of the simulated Procore; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub procore_port: u16,
    /// Port of the simulated Infor ION and M3; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub infor_port: u16,
    /// The same seed gives the same company
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
}

/// Bring the database up to date, and end.
#[derive(Debug, Args)]
pub struct Migrate {
    #[command(flatten)]
    pub storage: StorageFlags,
    #[command(flatten)]
    pub log: LogFlags,
}

/// Accounts of customers.
#[derive(Debug, Subcommand)]
pub enum Account {
    Create(AccountCreate),
}

/// Make an account with its owner and an API token.
#[derive(Debug, Args)]
#[command(after_help = ACCOUNT_HELP)]
pub struct AccountCreate {
    /// Name of the company
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// E-mail of its owner, who signs in with it
    #[arg(long, value_name = "E-MAIL")]
    pub email: String,
    /// Read the owner's password from the first line of standard input, instead of making one up
    #[arg(long)]
    pub password_stdin: bool,
    /// Print {tenant_id, user_id, api_token} as one line of JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub storage: StorageFlags,
    #[command(flatten)]
    pub log: LogFlags,
}

const ACCOUNT_HELP: &str = "\
Examples:
  ml-connector account create --name \"Acme Construction\" --email you@example.com
  printf %s \"$PASSWORD\" | ml-connector account create --name Acme --email a@b.example --password-stdin --json

Works before the first start and beside a running one. The token is shown once.";

/// The audit trail.
#[derive(Debug, Subcommand)]
pub enum Audit {
    Verify(AuditVerify),
}

/// Verify the chain of every account, or of one, or an exported file by itself.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub struct AuditVerify {
    /// Only the account with this id
    #[arg(long, value_name = "ID", conflicts_with = "file")]
    pub tenant: Option<String>,
    /// An exported file (JSON lines or CSV) instead of the database
    #[arg(long, value_name = "EXPORT")]
    pub file: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub storage: StorageFlags,
    #[command(flatten)]
    pub log: LogFlags,
}

const VERIFY_HELP: &str = "\
Examples:
  ml-connector audit verify
  ml-connector audit verify --file audit-1-4711.jsonl

Ends with 0 when everything holds; with 1, and the number of the first event that does not, otherwise.
The database is also compared with audit-heads.jsonl in the data folder, where the heads of the chains are
kept every five minutes: a chain that was cut off or written anew disagrees with it.";

/// The master key that seals everybody's credentials.
#[derive(Debug, Subcommand)]
pub enum Keys {
    List(KeysList),
    Rotate(KeysRotate),
}

/// Show the versions of the master key, what lies under each, and which processes know them.
#[derive(Debug, Args)]
pub struct KeysList {
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub storage: StorageFlags,
    #[command(flatten)]
    pub log: LogFlags,
}

/// Move everything to a new version of the master key, while the product runs.
#[derive(Debug, Args)]
#[command(after_help = ROTATE_HELP)]
pub struct KeysRotate {
    #[command(flatten)]
    pub storage: StorageFlags,
    #[command(flatten)]
    pub log: LogFlags,
}

const ROTATE_HELP: &str = "\
With the key in a file (MLC_MASTER_KEY_FILE, or the one in the data folder), a new version is added to the
file, and running servers read it by themselves. With the key in MLC_MASTER_KEY, add the version there
yourself (v1:…,v2:…) and restart every server first.

Every data key is then wrapped by the newest version. Killed in the middle, run it again: it goes on. It is
refused while a running server does not know the version. When `keys list` shows nothing under the old
version, take that one out of the list and keep it with the backups that were made under it.";

/// Where the server listens and whom it serves.
#[derive(Debug, Args)]
pub struct ServerFlags {
    /// Address to listen on [MLC_LISTEN, default 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Address that people and vendors reach [MLC_PUBLIC_URL, default http://{MLC_LISTEN}]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Who may make an account: open, invite, closed [MLC_SIGNUP, default open]
    #[arg(long, value_name = "WHO")]
    pub signup: Option<String>,
    /// Vendor hosts to allow beside the vendors' own clouds, HOST-SUFFIX[:PORT],… [MLC_VENDOR_HOSTS]
    #[arg(long, value_name = "HOSTS")]
    pub vendor_hosts: Option<String>,
    /// Proxies whose X-Forwarded-* are believed [MLC_TRUSTED_PROXIES]
    #[arg(long, value_name = "ADDRESSES")]
    pub trusted_proxies: Option<String>,
    /// Customers worked for at the same time [MLC_WORKER_CONCURRENCY, default 32]
    #[arg(long, value_name = "NUMBER")]
    pub worker_concurrency: Option<String>,
}

/// Where the database and the key are.
#[derive(Debug, Args)]
pub struct StorageFlags {
    /// Folder of the embedded database and of a generated key [MLC_DATA_DIR, default ./data]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<String>,
    /// sqlite://… or postgres://… [MLC_DATABASE_URL, default a file in the data folder]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// PostgreSQL role that migrates, where the serving one may not [MLC_DATABASE_ADMIN_URL]
    #[arg(long, value_name = "URL")]
    pub database_admin_url: Option<String>,
    /// File with the key that seals credentials [MLC_MASTER_KEY_FILE, default one that is made in the data folder]
    #[arg(long, value_name = "FILE")]
    pub master_key_file: Option<String>,
}

/// What is logged to standard error.
#[derive(Debug, Args)]
pub struct LogFlags {
    /// error, warn, info, debug, trace, or a filter [MLC_LOG, default info]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// human, or json with one object a line [MLC_LOG_FORMAT, default human]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

impl Serve {
    /// What was set on the command line.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags([self.server.named(), self.storage.named(), self.log.named()].concat())
    }
}

impl Demo {
    /// What was set on the command line.
    #[must_use]
    pub fn flags(&self) -> Flags {
        let folder = vec![("data_dir", self.data_dir.clone())];
        Flags([self.server.named(), folder, self.log.named()].concat())
    }
}

impl Sandbox {
    /// What was set on the command line.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags(self.log.named())
    }
}

impl Migrate {
    /// What was set on the command line.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags([self.storage.named(), self.log.named()].concat())
    }
}

impl AuditVerify {
    /// What was set on the command line.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags([self.storage.named(), self.log.named()].concat())
    }
}

impl KeysList {
    /// What was set on the command line.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags([self.storage.named(), self.log.named()].concat())
    }
}

impl KeysRotate {
    /// What was set on the command line.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags([self.storage.named(), self.log.named()].concat())
    }
}

impl AccountCreate {
    /// What was set on the command line.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags([self.storage.named(), self.log.named()].concat())
    }
}

/// Settings by name, as far as they were given.
type Named = Vec<(&'static str, Option<String>)>;

impl ServerFlags {
    fn named(&self) -> Named {
        vec![
            ("listen", self.listen.clone()),
            ("public_url", self.public_url.clone()),
            ("signup", self.signup.clone()),
            ("vendor_hosts", self.vendor_hosts.clone()),
            ("trusted_proxies", self.trusted_proxies.clone()),
            ("worker_concurrency", self.worker_concurrency.clone()),
        ]
    }
}

impl StorageFlags {
    fn named(&self) -> Named {
        vec![
            ("data_dir", self.data_dir.clone()),
            ("database_url", self.database_url.clone()),
            ("database_admin_url", self.database_admin_url.clone()),
            ("master_key_file", self.master_key_file.clone()),
        ]
    }
}

impl LogFlags {
    fn named(&self) -> Named {
        vec![
            ("log", self.log.clone()),
            ("log_format", self.log_format.clone()),
        ]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn command(line: &str) -> Command {
        Cli::try_parse_from(line.split(' ')).unwrap().command
    }

    fn given(flags: Flags) -> Vec<(&'static str, String)> {
        let given = |(name, value): (_, Option<String>)| Some((name, value?));
        flags.0.into_iter().filter_map(given).collect()
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_are_handed_on_by_their_settings_names() {
        let Command::Serve(serve) =
            command("mlc serve --listen [::1]:80 --data-dir d --log-format json")
        else {
            panic!("another command");
        };
        assert_eq!(
            given(serve.flags()),
            [
                ("listen", "[::1]:80".to_owned()),
                ("data_dir", "d".to_owned()),
                ("log_format", "json".to_owned()),
            ]
        );
    }

    #[test]
    fn commands_take_what_the_contract_names() {
        let line = "mlc account create --name Acme --email a@b.example --password-stdin --json";
        let Command::Account(Account::Create(create)) = command(line) else {
            panic!("another command");
        };
        assert_eq!(
            (create.name.as_str(), create.email.as_str()),
            ("Acme", "a@b.example")
        );
        assert!(create.password_stdin && create.json && given(create.flags()).is_empty());

        let Command::Sandbox(sandbox) =
            command("mlc sandbox --procore-port 1 --infor-port 2 --seed 3")
        else {
            panic!("another command");
        };
        let ports = sandbox.ports;
        assert_eq!(
            (ports.procore_port, ports.infor_port, ports.seed),
            (1, 2, 3)
        );

        let Command::Demo(demo) = command("mlc demo --keep --json --infor-port 2 --data-dir d")
        else {
            panic!("another command");
        };
        assert!(demo.keep && demo.json);
        assert_eq!(given(demo.flags()), [("data_dir", "d".to_owned())]);
    }

    #[test]
    fn no_flag_takes_a_secret() {
        let help = Cli::command().render_long_help().to_string();
        assert!(!help.contains("--master-key "), "{help}");
        let refused = Cli::try_parse_from(["mlc", "serve", "--master-key", "v1:abc"]);
        assert!(refused.is_err());
    }
}
