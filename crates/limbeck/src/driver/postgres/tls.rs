//! Encryption on the way to PostgreSQL, and what `sslmode` in the URL means.
//!
//! | `sslmode` | |
//! |---|---|
//! | `disable` | no encryption |
//! | `prefer`, or none given | encryption if the server offers it (and limbeck has the feature `tls`), unchecked |
//! | `require` | encryption, unchecked: it keeps out who listens, not who pretends to be the server |
//! | `verify-full` | encryption, and the server's certificate has to be for the URL's host and of a known authority: those of `sslrootcert=<file>` if given, else Mozilla's |
//!
//! `require` and `prefer` are libpq's in this.

use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{CancelToken, Client, Config, Error as PgError, NoTls, Socket};

use super::error::message_of;
use crate::error::{Error, Result};

/// What the URL says about encryption.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mode {
    sslmode: Option<String>,
    root: Option<String>,
}

/// Takes what is about encryption out of a URL: tokio-postgres knows only half of it.
pub(super) fn split(url: &str) -> (String, Mode) {
    let mut mode = Mode::default();
    let Some((path, query)) = url.split_once('?') else { return (url.to_string(), mode) };
    let mut rest: Vec<&str> = Vec::new();
    for part in query.split('&') {
        match part.split_once('=') {
            Some(("sslmode", value)) => mode.sslmode = Some(value.to_string()),
            Some(("sslrootcert", value)) => mode.root = Some(value.replace("%2F", "/").replace("%2f", "/")),
            _ => rest.push(part),
        }
    }
    let rest = if rest.is_empty() { path.to_string() } else { format!("{path}?{}", rest.join("&")) };
    (rest, mode)
}

/// How the bytes travel.
#[derive(Clone)]
pub(super) enum Tls {
    Plain,
    #[cfg(feature = "tls")]
    Rustls(tokio_postgres_rustls::MakeRustlsConnect),
}

impl Tls {
    /// Encryption as the URL wants it.
    pub(super) fn new(mode: &Mode, config: &mut Config) -> Result<Self> {
        let (ssl, check) = match mode.sslmode.as_deref() {
            Some("disable") => {
                config.ssl_mode(SslMode::Disable);
                return Ok(Tls::Plain);
            }
            None | Some("prefer" | "allow") => (SslMode::Prefer, false),
            Some("require") => (SslMode::Require, false),
            Some("verify-full") => (SslMode::Require, true),
            Some(other) => {
                return Err(Error::Config(format!(
                    "sslmode={other} in the URL is not known: expected disable, prefer, require or verify-full"
                )));
            }
        };
        config.ssl_mode(ssl);
        Tls::encrypted(ssl, check, mode)
    }

    #[cfg(not(feature = "tls"))]
    fn encrypted(ssl: SslMode, _: bool, mode: &Mode) -> Result<Self> {
        if ssl == SslMode::Prefer {
            return Ok(Tls::Plain);
        }
        let mode = mode.sslmode.as_deref().unwrap_or_default();
        Err(Error::FeatureMissing { scheme: format!("TLS, which sslmode={mode} asks for"), feature: "tls" })
    }

    #[cfg(feature = "tls")]
    fn encrypted(_: SslMode, check: bool, mode: &Mode) -> Result<Self> {
        Ok(Tls::Rustls(tokio_postgres_rustls::MakeRustlsConnect::new(verify::config(check, mode.root.as_deref())?)))
    }

    /// Opens a connection, whose reading and writing is a task of the current runtime.
    pub(super) async fn open(&self, config: &Config) -> Result<Client, PgError> {
        match self {
            Tls::Plain => open(config, NoTls).await,
            #[cfg(feature = "tls")]
            Tls::Rustls(tls) => open(config, tls.clone()).await,
        }
    }

    /// Asks the server to cancel what a connection runs.
    pub(super) async fn cancel(&self, token: &CancelToken) -> Result<(), PgError> {
        match self {
            Tls::Plain => token.cancel_query(NoTls).await,
            #[cfg(feature = "tls")]
            Tls::Rustls(tls) => token.cancel_query(tls.clone()).await,
        }
    }
}

async fn open<T>(config: &Config, tls: T) -> Result<Client, PgError>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            // Whoever uses the connection next gets the error as well.
            tracing::debug!(target: "limbeck::pool", error = message_of(&error), "a connection ended");
        }
    });
    Ok(client)
}

#[cfg(feature = "tls")]
mod verify {
    //! What is asked of the server's certificate.

    use std::sync::Arc;

    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

    use crate::error::{Error, Result};

    /// The client's side of a handshake.
    pub(super) fn config(check: bool, root: Option<&str>) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::Config(format!("TLS cannot be set up: {e}")))?;
        Ok(if check {
            builder.with_root_certificates(roots(root)?).with_no_client_auth()
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider))).with_no_client_auth()
        })
    }

    /// The authorities that may vouch for the server.
    fn roots(file: Option<&str>) -> Result<RootCertStore> {
        let Some(file) = file else {
            return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
        };
        let unusable = |why: String| Error::Config(format!("sslrootcert={file} in the URL cannot be used: {why}"));
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(file).map_err(|e| unusable(e.to_string()))? {
            let certificate = certificate.map_err(|e| unusable(e.to_string()))?;
            store.add(certificate).map_err(|e| unusable(e.to_string()))?;
        }
        if store.is_empty() { Err(unusable("it holds no certificate".into())) } else { Ok(store) }
    }

    /// Takes any certificate, as `sslmode=require` does in libpq. The handshake's signature is checked all the
    /// same, so that the other side has at least the key that it shows.
    #[derive(Debug)]
    struct Unchecked(Arc<CryptoProvider>);

    impl ServerCertVerifier for Unchecked {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_encryption_is_taken_out_of_the_url() {
        let (url, mode) = split("postgres://h/d?sslmode=verify-full&connect_timeout=3&sslrootcert=/a/b.pem");
        assert_eq!(url, "postgres://h/d?connect_timeout=3");
        assert_eq!(mode, Mode { sslmode: Some("verify-full".into()), root: Some("/a/b.pem".into()) });
        let (url, mode) = split("postgres://h/d?sslmode=disable");
        assert_eq!(url, "postgres://h/d");
        assert_eq!(mode.sslmode.as_deref(), Some("disable"));
        assert_eq!(split("postgres://h/d").0, "postgres://h/d");
    }
}
