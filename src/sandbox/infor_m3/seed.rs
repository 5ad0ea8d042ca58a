//! The M3 company that the sandbox starts with: the accounts of the contractor whose projects the
//! simulated Procore holds. Tables only; `planting` turns them into records.
//!
//! Some suppliers are vendors of Procore by number, some by tax number only, some are missing and
//! so get created; one is blocked, two look alike, and some have hostile names. Of the codes that
//! Procore's contracts use, one has no account and one account is locked; one unit that a line
//! uses is not allowed for its item.

use crate::sandbox::procore;

pub const CONO: &str = "100";
pub const DIVI: &str = "AAA";
pub const COMPANY_NAME: &str = "Front Range Builders, Inc.";
pub const LOCAL_CURRENCY: &str = "USD";

/// Of the service user and of all projects but one.
pub const FACILITY: &str = "A01";
pub const WAREHOUSE: &str = "100";

/// The service user.
pub const USER: &str = "SVCPRC";
pub const BUYER: &str = "BUYER01";
pub const ORDER_TYPE: &str = "200";
pub const SUBCONTRACT_ORDER_TYPE: &str = "210";

/// A batch origin whose batches go on to become orders, and one whose batches wait for a person.
pub const BATCH_ORIGIN: &str = "PROCORE";
pub const WAITING_BATCH_ORIGIN: &str = "REVIEW";

/// The supplier that new ones are copied from, and one whose copies start as preliminary.
pub const SUPPLIER_TEMPLATE: &str = "TMPL-US";
pub const PRELIMINARY_TEMPLATE: &str = "TMPL-NEW";

/// The supplier with status 90; [`procore::BLOCKED_VENDOR_ID`] is its vendor.
pub const BLOCKED_SUPPLIER: &str = "20020";
/// The one supplier of the two vendors that look alike.
pub const LOOK_ALIKE_SUPPLIER: &str = "10001";
/// The cost code whose accounts are locked.
pub const LOCKED_COST_CODE: &str = "16-100";
/// The cost code and type whose account nobody has made in M3 yet.
pub const ABSENT_CODE: (&str, &str) = ("32-900", "S");
/// The Procore unit that no line for materials may have.
pub const REFUSED_UNIT: &str = "mo";
/// An item that exists and may not be ordered.
pub const CLOSED_ITEM: &str = "PCOLD";

pub(super) struct FacilityRow {
    pub facility: &'static str,
    pub warehouse: &'static str,
    pub name: &'static str,
    pub warehouse_name: &'static str,
    pub country: &'static str,
}

#[rustfmt::skip]
pub(super) const FACILITIES: [FacilityRow; 2] = [
    FacilityRow { facility: FACILITY, warehouse: WAREHOUSE, name: "Denver",  warehouse_name: "Denver yard",  country: "US" },
    FacilityRow { facility: "C01",    warehouse: "200",     name: "Calgary", warehouse_name: "Calgary yard", country: "CA" },
];

/// One project of Procore with its place in M3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectFacts {
    pub procore_id: i64,
    pub project: &'static str,
    pub facility: &'static str,
    pub warehouse: &'static str,
}

/// In the order of [`procore::PROJECT_IDS`].
const PROJECTS: [(&str, &str, &str); 5] = [
    ("P24101", FACILITY, WAREHOUSE),
    ("P25014", FACILITY, WAREHOUSE),
    ("P25027", FACILITY, WAREHOUSE),
    ("P26003", "C01", "200"),
    ("P26011", FACILITY, WAREHOUSE),
];

/// Every project, as a mapping row needs it.
pub fn projects() -> impl Iterator<Item = ProjectFacts> {
    let rows = procore::PROJECT_IDS.into_iter().zip(PROJECTS);
    rows.map(
        |(procore_id, (project, facility, warehouse))| ProjectFacts {
            procore_id,
            project,
            facility,
            warehouse,
        },
    )
}

/// One cost code and cost type of Procore with its coding in M3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeFacts {
    /// The full code, e.g. `03-300`.
    pub cost_code: &'static str,
    /// The type's code, e.g. `M`.
    pub cost_type: &'static str,
    /// AIT1.
    pub account: String,
    /// AIT2, which every account of the seed demands.
    pub cost_center: &'static str,
    /// ELNO, an element of every project.
    pub element: String,
}

/// Every pair of code and type that a row maps to an account: locked ones, and the one that M3 lacks
/// ([`ABSENT_CODE`]), included.
/// [`procore::UNMAPPED_COST_CODE`] has none.
#[must_use]
pub fn codes() -> Vec<CodeFacts> {
    let with_account = procore::COST_CODES
        .into_iter()
        .filter(|(code, ..)| *code != procore::UNMAPPED_COST_CODE);
    let joined = with_account.flat_map(|(cost_code, _, types)| {
        let known = COST_TYPES
            .iter()
            .filter(|(cost_type, ..)| types.contains(cost_type));
        known.map(move |(cost_type, digit, ..)| code_facts(cost_code, cost_type, digit))
    });
    joined.collect()
}

fn code_facts(cost_code: &'static str, cost_type: &'static str, digit: &str) -> CodeFacts {
    let group = cost_code.split('-').next().unwrap_or_default();
    CodeFacts {
        cost_code,
        cost_type,
        account: format!("5{group}{digit}0"),
        cost_center: if group < "03" { "4100" } else { "4200" },
        element: cost_code.replace('-', ""),
    }
}

/// Cost type, its digit in account numbers, its item, and the item's own unit.
const COST_TYPES: [(&str, &str, &str, &str); 5] = [
    ("L", "1", "PCLABOR", "HR"),
    ("M", "2", "PCMATL", "EA"),
    ("S", "3", "PCSUBC", "LS"),
    ("E", "4", "PCEQUIP", "LS"),
    ("O", "5", "PCOTHER", "LS"),
];

/// Cost type, item and the unit of a lump sum.
pub fn items() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let rows = COST_TYPES.into_iter();
    rows.map(|(cost_type, _, item, unit)| (cost_type, item, unit))
}

/// Number, name, own unit, other units, status.
#[rustfmt::skip]
pub(super) const ITEMS: [(&str, &str, &str, &str, &str); 7] = [
    ("PCLABOR", "Labor, as ordered",       "HR", "DAY EA LS",                                      "20"),
    ("PCMATL",  "Materials, as ordered",   "EA", "LS HR DAY LF SF SY CY TON LB GAL M M2",          "20"),
    ("PCSUBC",  "Subcontracted work",      "LS", "EA HR DAY MO LF SF SY CY TON",                   "20"),
    ("PCEQUIP", "Equipment, hired",        "LS", "EA HR DAY MO",                                   "20"),
    ("PCOTHER", "Other cost",              "LS", "EA MO",                                          "20"),
    (CLOSED_ITEM, "Old service item",      "LS", "EA",                                             "90"),
    ("RB05120", "#5 rebar, 20 ft",         "LF", "EA TON",                                         "20"),
];

/// Number and name of the accounting identities beside the accounts; company-wide ones have no
/// division.
#[rustfmt::skip]
pub(super) const IDENTITIES: [(&str, &str, &str, &str); 7] = [
    (DIVI, "1", "21010", "Accounts payable"),
    (DIVI, "1", "21900", "Retainage payable"),
    (DIVI, "1", "60100", "Office supplies"),
    (DIVI, "2", "4100",  "Site preparation"),
    (DIVI, "2", "4200",  "Building works"),
    (DIVI, "2", "9000",  "Head office"),
    ("",   "3", "GROUP", "Group-wide product"),
];

/// Kind, key and text of the system table's codes.
#[rustfmt::skip]
pub(super) const CODES: [(&str, &str, &str); 63] = [
    ("TEPY", "30", "Net 30 days"), ("TEPY", "45", "Net 45 days"), ("TEPY", "60", "Net 60 days"),
    ("TEPY", "00", "Due at once"),
    ("CUCD", "USD", "US dollar"), ("CUCD", "CAD", "Canadian dollar"), ("CUCD", "EUR", "Euro"),
    ("CUCD", "DKK", "Danish krone"), ("CUCD", "JPY", "Japanese yen"), ("CUCD", "GBP", "Pound"),
    ("UNIT", "EA", "Each"), ("UNIT", "LS", "Lump sum"), ("UNIT", "HR", "Hour"),
    ("UNIT", "DAY", "Day"), ("UNIT", "MO", "Month"), ("UNIT", "LF", "Linear foot"),
    ("UNIT", "SF", "Square foot"), ("UNIT", "SY", "Square yard"), ("UNIT", "CY", "Cubic yard"),
    ("UNIT", "TON", "Ton"), ("UNIT", "LB", "Pound"), ("UNIT", "GAL", "Gallon"),
    ("UNIT", "M", "Metre"), ("UNIT", "M2", "Square metre"),
    ("VTCD", "0", "No tax"), ("VTCD", "1", "Sales tax"), ("VTCD", "5", "GST"),
    ("SUCL", "100", "Trade suppliers"), ("SUCL", "200", "Subcontractors"),
    ("ORTY", ORDER_TYPE, "Purchase order"), ("ORTY", SUBCONTRACT_ORDER_TYPE, "Subcontract"),
    ("TEDL", "010", "Delivered"), ("TEDL", "020", "Free on board"),
    ("MODL", "010", "Truck"), ("MODL", "020", "Rail"),
    ("USER", USER, "Service user"), ("USER", BUYER, "Buyer"), ("USER", "BUYER02", "Buyer, Calgary"),
    ("CSCD", "US", "United States"), ("CSCD", "CA", "Canada"), ("CSCD", "MX", "Mexico"),
    ("CSCD", "DE", "Germany"), ("CSCD", "DK", "Denmark"), ("CSCD", "SE", "Sweden"),
    ("CSCD", "NO", "Norway"), ("CSCD", "FI", "Finland"), ("CSCD", "GB", "United Kingdom"),
    ("CSCD", "IE", "Ireland"), ("CSCD", "FR", "France"), ("CSCD", "NL", "Netherlands"),
    ("CSCD", "BE", "Belgium"), ("CSCD", "CH", "Switzerland"), ("CSCD", "AT", "Austria"),
    ("CSCD", "IT", "Italy"), ("CSCD", "ES", "Spain"), ("CSCD", "PT", "Portugal"),
    ("CSCD", "PL", "Poland"), ("CSCD", "JP", "Japan"), ("CSCD", "CN", "China"),
    ("CSCD", "IN", "India"), ("CSCD", "AU", "Australia"), ("CSCD", "NZ", "New Zealand"),
    ("CSCD", "BR", "Brazil"),
];

/// One supplier. `tax` is the VAT number, empty where there is none.
pub(super) struct SupplierRow {
    pub number: &'static str,
    pub name: &'static str,
    pub tax: &'static str,
    pub currency: &'static str,
    pub status: &'static str,
    pub address: [&'static str; 5],
}

const fn supplier(
    [number, name, tax]: [&'static str; 3],
    address: [&'static str; 5],
) -> SupplierRow {
    SupplierRow {
        number,
        name,
        tax,
        currency: "USD",
        status: "20",
        address,
    }
}

const fn in_currency(currency: &'static str, row: SupplierRow) -> SupplierRow {
    SupplierRow { currency, ..row }
}

const fn with_status(status: &'static str, row: SupplierRow) -> SupplierRow {
    SupplierRow { status, ..row }
}

/// Street, town, state, postal code, country.
#[rustfmt::skip]
pub(super) const SUPPLIERS: [SupplierRow; 43] = [
    supplier([SUPPLIER_TEMPLATE, "Template, US suppliers", ""],           ["", "", "CO", "", "US"]),
    with_status("10", supplier([PRELIMINARY_TEMPLATE, "Template, to be checked", ""], ["", "", "", "", "US"])),
    // The same number as Procore's origin code.
    supplier(["20003", "Granite Ready-Mix LLC", "84-2211007"],            ["12 Quarry Rd", "Golden", "CO", "80401", "US"]),
    in_currency("EUR", supplier(["0004711", "Müller & Söhne Façades GmbH", "DE811907980"], ["Gewerbestraße 9", "Köln", "", "50667", "DE"])),
    in_currency("CAD", supplier(["20005", "Électricité Beauséjour Inc.", "123456789RT0001"], ["77 rue de l'Église", "Calgary", "AB", "T2P 1J9", "CA"])),
    supplier(["20006", "Peña Brothers Drywall", "84-3300126"],            ["880 Federal Blvd", "Denver", "CO", "80204", "US"]),
    supplier(["20007", "High Plains Excavating", "84-0911422"],           ["5501 County Road 30", "Loveland", "CO", "80538", "US"]),
    supplier(["20009", "Front Range Glass and Glazing", "84-7788110"],    ["1900 W 47th Ave", "Denver", "CO", "80211", "US"]),
    supplier(["20010", "Western Slope Roofing", "84-5512340"],            ["77 Main St", "Grand Junction", "CO", "81501", "US"]),
    supplier(["20011", "Summit Fire Protection", "84-6123009"],           ["3400 Vasquez Blvd", "Denver", "CO", "80205", "US"]),
    supplier(["20012", "Bighorn Electric", "84-4451209"],                 ["900 S Broadway", "Denver", "CO", "80209", "US"]),
    supplier(["20014", "O'Brien & Daughters Masonry", "84-9012387"],      ["14 Brickyard Ct", "Littleton", "CO", "80120", "US"]),
    supplier(["20015", "Prairie Rebar Fabricators", "84-2120945"],        ["8000 E 96th Ave", "Henderson", "CO", "80640", "US"]),
    supplier(["20016", "Clear Creek Plumbing", "84-3398712"],             ["12 Ford St", "Golden", "CO", "80403", "US"]),
    supplier(["20018", "Meadowlark Landscaping", "84-1123581"],           ["6700 Prairie Way", "Aurora", "CO", "80019", "US"]),
    with_status("90", supplier([BLOCKED_SUPPLIER, "Northgate Crane & Rigging", "84-2718281"], ["2200 Dahlia St", "Denver", "CO", "80207", "US"])),
    in_currency("CAD", supplier(["20021", "Calgary Precast Ltd.", "876543210RT0001"], ["4455 Barlow Tr SE", "Calgary", "AB", "T2C 2N6", "CA"])),
    in_currency("CAD", supplier(["20022", "Bow Valley Asphalt", "811223344RT0001"], ["19 Glenmore Rd", "Calgary", "AB", "T2H 0A1", "CA"])),
    supplier(["20028", "Consolidated Rocky Mountain Mechan.", "84-8675309"], ["1801 California St", "Denver", "CO", "80202", "US"]),
    supplier(["20035", "Mile High Scaffold", "84-1618033"],               ["3 Planks Pl", "Commerce City", "CO", "80022", "US"]),
    supplier(["000815", "Colorado Testing Laboratories", "84-0577215"],   ["22 Proctor St", "Lakewood", "CO", "80228", "US"]),
    // Found by tax number only.
    supplier([LOOK_ALIKE_SUPPLIER, "Acme Steel Ltd", "84-1029384"],       ["4100 Brighton Blvd", "Denver", "CO", "80216", "US"]),
    supplier(["10044", "Poudre Pump and Valve Co", "84-5772156"],         ["88 Riverside Ave", "Fort Collins", "CO", "80524", "US"]),
    in_currency("DKK", supplier(["10051", "Østergård Stålbyg A/S", "DK25313763"], ["Havnegade 12", "Aarhus", "", "8000", "DK"])),
    // Found by name only, the second twice.
    supplier(["10062", "Timberline Millwork Co", ""],                     ["230 Sawmill Ln", "Boulder", "CO", "80301", "US"]),
    supplier(["10017", "Sandstone Tile & Terrazzo", ""],                  ["301 Santa Fe Dr", "Denver", "CO", "80223", "US"]),
    supplier(["10117", "SANDSTONE TILE AND TERRAZZO", ""],                ["301 Santa Fe Drive", "Denver", "CO", "80223", "US"]),
    // No vendors of Procore.
    supplier(["30001", "Denver Office Supply", "84-7000101"],             ["1 Paper Mill Ct", "Denver", "CO", "80203", "US"]),
    supplier(["30002", "Xcel Utility Services", "84-7000102"],            ["1800 Larimer St", "Denver", "CO", "80202", "US"]),
    supplier(["30003", "Platte River Fuel", "84-7000103"],                ["400 Tank Farm Rd", "Commerce City", "CO", "80022", "US"]),
    supplier(["30004", "Acme Janitorial", "84-7000104"],                  ["9 Mop Ln", "Denver", "CO", "80205", "US"]),
    supplier(["30005", "Granite State Insurance", ""],                    ["70 Pine St", "New York", "NY", "10005", "US"]),
    supplier(["30006", "Bighorn Electrical Wholesale", "84-7000106"],     ["910 S Broadway", "Denver", "CO", "80209", "US"]),
    supplier(["30007", "Mountain States Safety", ""],                     ["12 Helmet Way", "Aurora", "CO", "80011", "US"]),
    with_status("10", supplier(["30008", "Clear Creek Catering", ""],     ["14 Ford St", "Golden", "CO", "80403", "US"])),
    with_status("90", supplier(["30009", "Bankrupt Concrete Corp", ""],   ["0 Closed Rd", "Pueblo", "CO", "81001", "US"])),
    in_currency("CAD", supplier(["30010", "Glenmore Travel", ""],         ["22 Glenmore Rd", "Calgary", "AB", "T2H 0A1", "CA"])),
    in_currency("EUR", supplier(["30011", "Hilti Befestigung AG & Co.", ""], ["Am Ring 1", "Köln", "", "50667", "DE"])),
    in_currency("JPY", supplier(["30012", "大阪計器工業", ""],               ["北区梅田3-1", "大阪", "", "530-0001", "JP"])),
    supplier(["90001", "<b>Bold</b> & Sons \"Ltd\"", ""],                 ["1 <i>Italic</i> Way", "Denver", "CO", "80202", "US"]),
    supplier(["90002", "Robert'); DROP TABLE suppliers;--", ""],          ["327 Tables Ln", "Denver", "CO", "80202", "US"]),
    supplier(["90003", "=SUM(A1:A9)", ""],                                ["@home", "Denver", "CO", "80202", "US"]),
    supplier(["90004", "Sunny ☀️ Sheds", ""],                             ["406 Blake St", "Denver", "CO", "80205", "US"]),
];
