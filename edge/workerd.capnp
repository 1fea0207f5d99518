# How plain workerd runs Asklet on one machine: one process, with its data in one folder. `cargo xtask serve`
# passes the address and the folders on the command line.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "asklet", worker = .asklet),
    # The Durable Objects' SQLite files.
    (name = "objects", disk = (writable = true)),
    # What pages download, from the folder beside this file.
    (name = "assets", disk = ()),
    # The demo page, if there is one.
    (name = "demo", disk = ()),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "asklet")],
);

const asklet :Workerd.Worker = (
  modules = [
    (name = "entry.js", esModule = embed "worker/entry.js"),
    (name = "index_bg.wasm", wasm = embed "worker/index_bg.wasm"),
  ],
  compatibilityDate = "2026-04-01",
  bindings = [
    (name = "DIRECTORY", durableObjectNamespace = "Directory"),
    (name = "SITE", durableObjectNamespace = "Site"),
    (name = "SURVEY", durableObjectNamespace = "Survey"),
    (name = "ASSETS", service = "assets"),
    (name = "DEMO", service = "demo"),
    (name = "ASKLET_SECRET", fromEnvironment = "ASKLET_SECRET"),
    (name = "ASKLET_ADMIN_TOKEN", fromEnvironment = "ASKLET_ADMIN_TOKEN"),
    (name = "ASKLET_ADMIN_TOKEN_NEXT", fromEnvironment = "ASKLET_ADMIN_TOKEN_NEXT"),
    # The key with which identity secrets are encrypted in storage.
    (name = "ASKLET_ENCRYPTION_KEY", fromEnvironment = "ASKLET_ENCRYPTION_KEY"),
    # The headers in which a proxy in front of this process sends the visitor's address and country.
    (name = "ASKLET_ADDRESS_HEADER", fromEnvironment = "ASKLET_ADDRESS_HEADER"),
    (name = "ASKLET_COUNTRY_HEADER", fromEnvironment = "ASKLET_COUNTRY_HEADER"),
    # `requests` for a line in the log for each request.
    (name = "ASKLET_LOG", fromEnvironment = "ASKLET_LOG"),
  ],
  durableObjectNamespaces = [
    (className = "Directory", uniqueKey = "asklet-directory", enableSql = true),
    (className = "Site", uniqueKey = "asklet-site", enableSql = true),
    (className = "Survey", uniqueKey = "asklet-survey", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "objects"),
);
