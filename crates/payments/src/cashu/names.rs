//! What the market calls custodian and asset, Cashu calls mint and unit.

use core::str::FromStr as _;

use cdk::mint_url::MintUrl;
use cdk::nuts::CurrencyUnit;
use haggle_protocol::{Asset, Contract, Custodian};

use crate::error::Error;
use crate::rail::Purse;

pub(super) fn purse_of(contract: &Contract) -> Purse {
    Purse {
        custodian: contract.custodian.clone(),
        asset: contract.amount.asset,
    }
}

/// The address of a mint. One mint has one name: what its address is not written as is refused, or two wallets would spend the same
/// ecash. So is a name outside the DNS that is not a peer's: asking for its host would tell others of it.
pub(super) fn url_of(custodian: &Custodian) -> Result<MintUrl, Error> {
    if custodian.is_outside_dns() && custodian.peer().is_none() {
        return Err(Error::Damaged);
    }
    let url = MintUrl::from_str(custodian.name()).map_err(|_| Error::Damaged)?;
    if custodian_of(&url)? == *custodian {
        Ok(url)
    } else {
        Err(Error::Damaged)
    }
}

pub(super) fn custodian_of(url: &MintUrl) -> Result<Custodian, Error> {
    Ok(Custodian::new(&url.to_string())?)
}

/// The unit of an asset: Cashu writes ISO 4217's codes small, and has `sat` of its own.
pub(super) fn unit_of(asset: Asset) -> Result<CurrencyUnit, Error> {
    let unit = CurrencyUnit::from_str(&asset.code().to_ascii_lowercase())
        .map_err(|_| Error::Unsupported)?;
    if asset_of(&unit)? == asset {
        Ok(unit)
    } else {
        Err(Error::Unsupported)
    }
}

/// The asset of a unit: what has three letters is a currency, but for `sat`; any other unit keeps its name and is counted in wholes.
pub(super) fn asset_of(unit: &CurrencyUnit) -> Result<Asset, Error> {
    let name = unit.to_string().to_ascii_lowercase();
    let code = if name.len() == 3 && name != "sat" {
        name.to_ascii_uppercase()
    } else {
        name
    };
    Asset::new(&code).map_err(|_| Error::Unsupported)
}
