//! The one signature tokens have: HMAC with SHA-256. The token library is built without any cryptography of its own, so
//! no header can talk this process into another algorithm: there is none.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::{CryptoProvider, JwkUtils, JwtSigner, JwtVerifier};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::signature::{Error, Signer, Verifier};
use sha2::Sha256;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |&algorithm, key| Ok(Box::new(Hs256::new(algorithm, key.try_get_hmac_secret()?)?)),
    verifier_factory: |&algorithm, key| Ok(Box::new(Hs256::new(algorithm, key.try_get_hmac_secret()?)?)),
    jwk_utils: JwkUtils::new_unimplemented(),
};

/// Must come before the first token is signed or verified.
pub(super) fn install() {
    // An error means that it is installed already.
    let _ = PROVIDER.install_default();
}

struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self> {
        if algorithm != Algorithm::HS256 {
            return Err(new_error(ErrorKind::InvalidAlgorithm));
        }
        Ok(Self(Hmac::new_from_slice(key).map_err(|_| new_error(ErrorKind::InvalidKeyFormat))?))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    /// In a time that does not depend on which byte of the signature is wrong.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        self.0.clone().chain_update(message).verify_slice(signature).map_err(|_| Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, EncodingKey};

    use super::*;

    #[test]
    fn no_algorithm_but_hs256_can_sign_or_verify() {
        let (signing, verifying) = (EncodingKey::from_secret(&[7; 32]), DecodingKey::from_secret(&[7; 32]));
        for algorithm in [Algorithm::HS384, Algorithm::HS512, Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
            assert!((PROVIDER.signer_factory)(&algorithm, &signing).is_err(), "{algorithm:?}");
            assert!((PROVIDER.verifier_factory)(&algorithm, &verifying).is_err(), "{algorithm:?}");
        }
        assert!((PROVIDER.verifier_factory)(&Algorithm::HS256, &DecodingKey::from_rsa_der(&[7; 32])).is_err());
    }

    #[test]
    fn a_signature_is_of_its_message_and_whole() {
        let hs256 = Hs256::new(Algorithm::HS256, &[7; 32]).expect("hs256");
        let signature = hs256.sign(b"words");
        assert!(hs256.verify(b"words", &signature).is_ok());
        assert!(hs256.verify(b"Words", &signature).is_err());
        assert!(hs256.verify(b"words", &signature[..31].to_vec()).is_err());
        assert!(hs256.verify(b"words", &Vec::new()).is_err());
    }
}
