//! Who may send, over TLS, with the clients that people use; and settings that change under load.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use futures::future::join_all;
use serde_json::json;
use service::http_client::{Timeouts, Tls, client_with};
use testkit::{eventually, eventually_blocking, python};

use crate::certificates::Authority;
use crate::push::now_ms;
use crate::sluice::{PATIENCE, Sluice, binary};

/// `sluice hash-key` and its like: what people run to write their settings.
fn hashed(command: &str, secret: &str) -> anyhow::Result<String> {
    use std::io::Write as _;
    use std::process::Stdio;

    let mut child = Command::new(binary())
        .arg(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("it has an input")?;
    writeln!(stdin, "{secret}")?;
    drop(stdin);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{command} failed");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

struct Story {
    folder: tempfile::TempDir,
}

impl Story {
    fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, yaml: &str) -> anyhow::Result<()> {
        // As editors and deployments do it: nobody sees half of a file.
        std::fs::write(self.path("next.yaml"), yaml)?;
        std::fs::rename(self.path("next.yaml"), self.path("sluice.yaml"))?;
        Ok(())
    }

    fn start(&self) -> Sluice {
        let (file, data) = (self.path("sluice.yaml"), self.path("data"));
        Sluice::start(
            "standalone",
            &[
                ("SLUICE_CONFIG", &file.display().to_string()),
                ("SLUICE_DATA_DIR", &data.display().to_string()),
                ("SLUICE_RELOAD__INTERVAL", "200ms"),
            ],
        )
    }
}

fn tls(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "http:\n  tls:\n    certificate: {folder}/server.pem\n    key: {folder}/server.key\n    client_ca: \
         {folder}/ca.pem\n    client_certificates: optional\n"
    )
}

fn curl(arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "30"])
        .args(arguments)
        .output()
        .context("curl")?;
    let text = [output.stdout, output.stderr].concat();
    Ok((
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

#[test]
fn real_clients_send_over_tls_with_each_kind_of_credential() {
    let story = Story::new().unwrap();
    let authority = Authority::new(story.folder.path()).unwrap();
    authority.server().unwrap();
    authority.client("billing").unwrap();
    let (key, password) = ("slc_a-key-of-this-test", "correct horse battery staple");
    let yaml = format!(
        "{}access:\n  required: true\n  keys:\n    ci: {{sha256: {}}}\n  users:\n    ann: {{password_hash: '{}'}}\n  \
         certificates:\n    billing: {{common_name: billing, tenant: acme}}\n",
        tls(story.folder.path()),
        hashed("hash-key", key).unwrap(),
        hashed("hash-password", password).unwrap(),
    );
    story.write(&yaml).unwrap();
    let sluice = story.start();
    let port = sluice.http_port();
    let folder = story.folder.path().display().to_string();
    let program = include_str!("secured.py");
    let printed = python::run(program, &[&port.to_string(), &folder, key, "ann", password]);
    assert_eq!(printed.trim(), "done");
    eventually_blocking(PATIENCE, || {
        let accepted = sluice
            .metric("sluice_gateway_samples_accepted_total", "otlp_grpc")
            .map_err(|error| error.to_string())?;
        let refused = sluice
            .metric("sluice_gateway_access_denied_total", "unknown_key")
            .map_err(|error| error.to_string())?;
        (accepted >= 1.0 && refused >= 1.0)
            .then_some(())
            .ok_or_else(|| format!("accepted {accepted}, refused {refused}"))
    });

    let url = format!("https://localhost:{port}/metrics");
    let ca = story.path("ca.pem").display().to_string();
    let body = json!({"metrics": []}).to_string();
    let authorization = format!("Authorization: Bearer {key}");
    let show = "\n%{http_version} %{http_code}";
    for (version, expected) in [("--http1.1", "1.1 200"), ("--http2", "2 200")] {
        let (_, text) = curl(&[
            version,
            "--cacert",
            &ca,
            "-H",
            &authorization,
            "-d",
            &body,
            "-w",
            show,
            &url,
        ])
        .unwrap();
        assert!(text.ends_with(expected), "{text}");
    }
    // Without its authority, curl does not trust it; in the clear nothing is said.
    let (code, text) = curl(&["-H", &authorization, "-d", &body, &url]).unwrap();
    assert_eq!(code, Some(60), "{text}");
    let (code, text) = curl(&[&sluice.url("/health")]).unwrap();
    assert!(code != Some(0) && !text.contains("healthy"), "{text}");

    let shaken = Command::new("openssl")
        .args(["s_client", "-connect", &format!("localhost:{port}")])
        .args(["-CAfile", &ca, "-alpn", "h2,http/1.1", "-brief"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let shaken = String::from_utf8_lossy(&[shaken.stdout, shaken.stderr].concat()).into_owned();
    assert!(shaken.contains("Verification: OK"), "{shaken}");
    assert!(shaken.contains("TLSv1.3"), "{shaken}");
    let secrets = [key, password];
    let log = sluice.process.log();
    assert!(secrets.iter().all(|secret| !log.contains(secret)), "{log}");
}

/// Posts until it is told to stop; half of the senders keep their connections, the others make one for each request.
async fn load(
    url: &str,
    ca: PathBuf,
    key: &str,
    stop: &AtomicBool,
    keeps: bool,
) -> (usize, Vec<String>) {
    let tls = Tls {
        ca_file: Some(ca),
        ..Tls::default()
    };
    let client = || client_with(timeouts(), &tls).unwrap();
    let kept = client();
    let (mut sent, mut failed) = (0, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let client = if keeps { kept.clone() } else { client() };
        let sample =
            json!({"metric_name": "up", "timestamp": now_ms(), "value": sent, "labels": {}});
        let answer = client
            .post(url)
            .bearer_auth(key)
            .header("content-type", "application/json")
            .body(json!({"metrics": [sample]}).to_string())
            .send()
            .await;
        match answer {
            Ok(answer) if answer.status() == 200 => sent += 1,
            Ok(answer) => failed.push(answer.status().to_string()),
            Err(error) => failed.push(format!("{error:?}")),
        }
    }
    (sent, failed)
}

fn timeouts() -> Timeouts {
    Timeouts {
        connect: PATIENCE,
        request: PATIENCE,
    }
}

/// The status of a request with this key, from a client that trusts this authority alone.
async fn status(url: &str, ca: &Path, key: &str) -> Result<u16, String> {
    let tls = Tls {
        ca_file: Some(ca.to_owned()),
        ..Tls::default()
    };
    let client = client_with(timeouts(), &tls).map_err(|error| error.to_string())?;
    let request = client.post(url).bearer_auth(key).body(r#"{"metrics":[]}"#);
    let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
    Ok(answer.status().as_u16())
}

async fn until(url: &str, ca: &Path, key: &str, expected: u16) {
    eventually(PATIENCE, async || match status(url, ca, key).await {
        Ok(found) if found == expected => Ok(()),
        other => Err(format!("{key}, expected {expected}: {other:?}")),
    })
    .await;
}

/// The first line of the log that has this text.
async fn logged(sluice: &Sluice, text: &str) -> String {
    eventually(PATIENCE, async || {
        let log = sluice.process.log();
        let line = log.lines().find(|line| line.contains(text));
        line.map(str::to_owned)
            .ok_or_else(|| format!("no {text:?} in the log"))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_and_keys_are_replaced_under_load_without_a_failed_request() {
    let story = Story::new().unwrap();
    // Kubernetes mounts files like this: behind a link that is replaced as a whole.
    let (old, new) = (story.path("v1"), story.path("v2"));
    for folder in [&old, &new] {
        Authority::new(folder).unwrap().server().unwrap();
    }
    let both = story.path("both.pem");
    let authorities = [&old, &new].map(|folder| std::fs::read(folder.join("ca.pem")).unwrap());
    std::fs::write(&both, authorities.concat()).unwrap();
    let current = story.path("current");
    std::os::unix::fs::symlink(&old, &current).unwrap();
    let settings = |keys: &[&str], more: &str| {
        let mut yaml = tls(&current) + more + "access:\n  required: true\n  keys:\n";
        for key in keys {
            let hash = hashed("hash-key", key).unwrap();
            yaml.push_str(&format!("    {key}: {{sha256: {hash}}}\n"));
        }
        yaml
    };
    story.write(&settings(&["a"], "")).unwrap();
    let sluice = story.start();
    let url = format!("https://localhost:{}/metrics", sluice.http_port());

    let stop = AtomicBool::new(false);
    let senders =
        join_all((0..6).map(|sender| load(&url, both.clone(), "a", &stop, sender % 2 == 0)));
    let changes = async {
        let changed = async {
            let (old_ca, new_ca) = (old.join("ca.pem"), new.join("ca.pem"));
            until(&url, &old_ca, "a", 200).await;
            // A certificate of another authority, by the file alone.
            std::os::unix::fs::symlink(&new, story.path("next"))?;
            std::fs::rename(story.path("next"), &current)?;
            until(&url, &new_ca, "a", 200).await;
            ensure!(
                status(&url, &old_ca, "a").await.is_err(),
                "the old certificate is still shown"
            );

            // A key comes, by signal, and goes, by the file alone.
            until(&url, &new_ca, "b", 401).await;
            story.write(&settings(&["a", "b"], ""))?;
            hang_up(&sluice)?;
            until(&url, &new_ca, "b", 200).await;
            story.write(&settings(&["a"], "kafka: {topic: another}\n"))?;
            until(&url, &new_ca, "b", 401).await;
            sluice
                .process
                .wait_for_line("needs a restart: kafka.topic", PATIENCE);

            // What is wrong changes nothing, and says so.
            story.write(&settings(&["b"], "limits: {max_labels: many}\n"))?;
            let line = sluice
                .process
                .wait_for_line("settings not reloaded", PATIENCE);
            ensure!(line.contains("limits.max_labels"), "{line}");
            ensure!(
                sluice.metric("sluice_settings_refused", "")? == 1.0,
                "not shown"
            );
            until(&url, &new_ca, "b", 401).await;
            std::fs::write(new.join("server.key"), "no key")?;
            story.write(&settings(&["a", "b"], ""))?;
            logged(&sluice, "http.tls.key").await;
            until(&url, &new_ca, "b", 401).await;
            until(&url, &new_ca, "a", 200).await;
            anyhow::Ok(())
        };
        let changed = changed.await;
        stop.store(true, Ordering::Relaxed);
        changed
    };
    let (senders, changed) = tokio::join!(senders, changes);
    changed.unwrap();
    for (sent, failed) in senders {
        assert_eq!(failed, Vec::<String>::new());
        assert!(sent > 10, "{sent}");
    }
    assert!(
        sluice
            .metric("sluice_settings_reloads_total", "applied")
            .unwrap()
            >= 3.0
    );
}

fn hang_up(sluice: &Sluice) -> anyhow::Result<()> {
    let pid = sluice.process.pid().to_string();
    let status = Command::new("kill").args(["-HUP", &pid]).status()?;
    ensure!(status.success(), "kill -HUP");
    Ok(())
}
