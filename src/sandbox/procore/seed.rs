//! The company that the sandbox starts with: a general contractor in Denver with one job in
//! Calgary. Tables only; `planting` turns them into objects.
//!
//! Among the believable rows are the awkward ones: near-duplicates, hostile texts, leading
//! zeros, ids beyond 32 bits, a code nobody has mapped, amounts that are not quantity × price.

/// What the sandbox takes as a service account.
pub const CLIENT_ID: &str = "sandbox-procore-client";
/// Belongs to [`CLIENT_ID`]; worth nothing anywhere else.
pub const CLIENT_SECRET: &str = "sandbox-procore-secret";

pub const COMPANY_ID: i64 = 4_280_001;
pub const COMPANY_NAME: &str = "Front Range Builders, Inc.";

/// The service account's own user.
pub const USER_ID: i64 = 774_411;
pub const USER_LOGIN: &str = "ml-connector-dmsa@frontrangebuilders.example";

/// In the order of [`PROJECTS`].
pub const PROJECT_IDS: [i64; 5] = [316_001, 316_002, 316_003, 4_294_968_101, 316_005];

/// The full code of a line whose cost code is meant to have no mapping.
pub const UNMAPPED_COST_CODE: &str = "99-999";
/// The vendor whose M3 supplier is meant to be blocked; its origin code is the supplier number.
pub const BLOCKED_VENDOR_ID: i64 = 5_511_020;
/// The two vendors that look alike.
pub const LOOK_ALIKE_VENDOR_IDS: [i64; 2] = [5_511_001, 5_511_002];

pub(super) struct ProjectRow {
    pub number: &'static str,
    pub name: &'static str,
    pub city: &'static str,
    pub state: &'static str,
    pub country: &'static str,
    pub time_zone: &'static str,
    pub currency: &'static str,
    pub total_value: &'static str,
    pub start: &'static str,
    pub end: &'static str,
}

#[rustfmt::skip]
pub(super) const PROJECTS: [ProjectRow; 5] = [
    ProjectRow { number: "24-101", name: "Union Station North Tower",  city: "Denver",       state: "CO", country: "US", time_zone: "US/Mountain", currency: "USD", total_value: "84500000.0", start: "2024-09-02", end: "2027-04-30" },
    ProjectRow { number: "25-014", name: "St. Anne's Hospital Wing C", city: "Aurora",       state: "CO", country: "US", time_zone: "US/Mountain", currency: "USD", total_value: "41250000.0", start: "2025-03-17", end: "2027-01-29" },
    ProjectRow { number: "25-027", name: "Cherry Creek K-8 School",    city: "Denver",       state: "CO", country: "US", time_zone: "US/Mountain", currency: "USD", total_value: "27800000.0", start: "2025-06-09", end: "2026-12-18" },
    ProjectRow { number: "26-003", name: "Bow River Logistics Park",   city: "Calgary",      state: "AB", country: "CA", time_zone: "US/Mountain", currency: "CAD", total_value: "33000000.0", start: "2026-02-02", end: "2027-08-31" },
    ProjectRow { number: "26-011", name: "Mesa Water Treatment Plant", city: "Fort Collins", state: "CO", country: "US", time_zone: "US/Mountain", currency: "USD", total_value: "58900000.0", start: "2026-05-04", end: "2028-03-31" },
];

/// One vendor. `code` is the origin code, `tax` an employer number, both empty where there is none.
pub(super) struct VendorRow {
    pub id: i64,
    pub name: &'static str,
    pub short: &'static str,
    pub code: &'static str,
    pub tax: &'static str,
    pub address: &'static str,
    pub city: &'static str,
    pub state: &'static str,
    pub zip: &'static str,
    pub country: &'static str,
    pub active: bool,
}

const fn vendor(
    id: i64,
    [name, short, code, tax]: [&'static str; 4],
    [address, city, state, zip, country]: [&'static str; 5],
) -> VendorRow {
    VendorRow {
        id,
        name,
        short,
        code,
        tax,
        address,
        city,
        state,
        zip,
        country,
        active: true,
    }
}

const fn inactive(row: VendorRow) -> VendorRow {
    VendorRow {
        active: false,
        ..row
    }
}

/// Longer than any supplier name field that a vendor of ours has.
const LONG_NAME: &str = "Consolidated Rocky Mountain Mechanical, Plumbing, Fire Protection and \
    Building Automation Contractors of Greater Colorado and Southern Wyoming, a Division of \
    Intermountain Infrastructure Holdings International Limited Liability Limited Partnership";

#[rustfmt::skip]
pub(super) const VENDORS: [VendorRow; 40] = [
    vendor(5_511_001, ["Acme Steel Ltd", "ACME", "", "84-1029384"],               ["4100 Brighton Blvd", "Denver", "CO", "80216", "US"]),
    vendor(5_511_002, ["ACME Steel, Limited", "ACMESTL", "", ""],                 ["4100 Brighton Boulevard", "Denver", "CO", "80216", "US"]),
    vendor(5_511_003, ["Granite Ready-Mix LLC", "GRANITE", "20003", "84-2211007"], ["12 Quarry Rd", "Golden", "CO", "80401", "US"]),
    vendor(5_511_004, ["Müller & Söhne Façades GmbH", "MÜLLER", "0004711", "DE811907980"], ["Gewerbestraße 9", "Köln", "", "50667", "DE"]),
    vendor(5_511_005, ["Électricité Beauséjour Inc.", "BEAUSEJ", "20005", "123456789RT0001"], ["77 rue de l'Église", "Calgary", "AB", "T2P 1J9", "CA"]),
    vendor(5_511_006, ["Peña Brothers Drywall", "PEÑA", "20006", "84-3300126"],   ["880 Federal Blvd", "Denver", "CO", "80204", "US"]),
    vendor(5_511_007, ["High Plains Excavating", "HPEX", "20007", "84-0911422"],  ["5501 County Road 30", "Loveland", "CO", "80538", "US"]),
    vendor(5_511_008, ["Timberline Millwork Co.", "TIMBER", "20008", ""],         ["230 Sawmill Ln", "Boulder", "CO", "80301", "US"]),
    vendor(5_511_009, ["Front Range Glass & Glazing", "FRGLASS", "20009", "84-7788110"], ["1900 W 47th Ave", "Denver", "CO", "80211", "US"]),
    vendor(5_511_010, ["Western Slope Roofing", "WSROOF", "20010", "84-5512340"], ["77 Main St", "Grand Junction", "CO", "81501", "US"]),
    vendor(5_511_011, ["Summit Fire Protection", "SUMMIT", "20011", "84-6123009"], ["3400 Vasquez Blvd", "Denver", "CO", "80205", "US"]),
    vendor(5_511_012, ["Bighorn Electric", "BIGHORN", "20012", "84-4451209"],     ["900 S Broadway", "Denver", "CO", "80209", "US"]),
    vendor(5_511_013, ["Cascade HVAC Supply", "CASCADE", "20013", ""],            ["65 Osage St", "Denver", "CO", "80223", "US"]),
    vendor(5_511_014, ["O'Brien & Daughters Masonry", "OBRIEN", "20014", "84-9012387"], ["14 Brickyard Ct", "Littleton", "CO", "80120", "US"]),
    vendor(5_511_015, ["Prairie Rebar Fabricators", "PRAIRIE", "20015", "84-2120945"], ["8000 E 96th Ave", "Henderson", "CO", "80640", "US"]),
    vendor(5_511_016, ["Clear Creek Plumbing", "CCPLUMB", "20016", "84-3398712"], ["12 Ford St", "Golden", "CO", "80403", "US"]),
    vendor(5_511_017, ["Sandstone Tile & Terrazzo", "SANDST", "", ""],            ["301 Santa Fe Dr", "Denver", "CO", "80223", "US"]),
    vendor(5_511_018, ["Meadowlark Landscaping", "MEADOW", "20018", "84-1123581"], ["6700 Prairie Way", "Aurora", "CO", "80019", "US"]),
    vendor(5_511_019, ["Alpine Elevator Service", "ALPINE", "20019", "84-3145926"], ["1 Lift House Rd", "Vail", "CO", "81657", "US"]),
    vendor(5_511_020, ["Northgate Crane & Rigging", "NORTHG", "20020", "84-2718281"], ["2200 Dahlia St", "Denver", "CO", "80207", "US"]),
    vendor(5_511_021, ["Calgary Precast Ltd.", "CALPRE", "20021", "876543210RT0001"], ["4455 Barlow Tr SE", "Calgary", "AB", "T2C 2N6", "CA"]),
    vendor(5_511_022, ["Bow Valley Asphalt", "BOWVAL", "20022", "811223344RT0001"], ["19 Glenmore Rd", "Calgary", "AB", "T2H 0A1", "CA"]),
    vendor(5_511_023, ["Rocky Mountain Instrumentation", "RMI", "20023", ""],     ["510 Technology Dr", "Fort Collins", "CO", "80525", "US"]),
    vendor(5_511_024, ["Poudre Pump & Valve", "POUDRE", "20024", "84-5772156"],   ["88 Riverside Ave", "Fort Collins", "CO", "80524", "US"]),
    vendor(5_511_025, ["<script>alert(1)</script>", "SCRIPT", "", ""],            ["1 \"Quoted\" & <b>Bold</b> St", "Denver", "CO", "80202", "US"]),
    vendor(5_511_026, ["'; DROP TABLE vendors; --", "BOBBY", "", ""],             ["327 Tables Ln", "Denver", "CO", "80202", "US"]),
    vendor(5_511_027, ["=cmd|' /C calc'!A0", "=1+1", "", ""],                     ["@SUM(1;1)", "Denver", "CO", "80202", "US"]),
    vendor(5_511_028, [LONG_NAME, "CRMMPFPBAC", "20028", "84-8675309"],           ["1801 California St", "Denver", "CO", "80202", "US"]),
    vendor(5_511_029, ["Two Line\r\nCatering", "TWOLINE", "", ""],                ["Unit 7\r\n99 Curtis St", "Denver", "CO", "80205", "US"]),
    vendor(5_511_030, ["Sunny ☀️ Site Services 👷", "SUNNY", "", ""],             ["404 Blake St", "Denver", "CO", "80205", "US"]),
    vendor(5_511_031, ["  Padded   Insulation  ", "PADDED", "20031", ""],         ["5 Batt Way", "Arvada", "CO", "80002", "US"]),
    vendor(562_949_953_421_377, ["Deep Foundations Northwest", "DEEPFND", "20032", "91-1234567"], ["700 Pile Rd", "Tacoma", "WA", "98402", "US"]),
    vendor(562_949_953_421_378, ["Stahlbau Østergård A/S", "ØSTERG", "20033", "DK25313763"], ["Havnegade 12", "Aarhus", "", "8000", "DK"]),
    vendor(562_949_953_421_379, ["東京計装株式会社", "TOKYO", "", ""],              ["港区芝公園1-7-24", "東京", "", "105-0011", "JP"]),
    vendor(5_511_035, ["Mile High Scaffold", "MHSCAF", "20035", "84-1618033"],    ["3 Planks Pl", "Commerce City", "CO", "80022", "US"]),
    vendor(5_511_036, ["Mile High Scaffolding Rental", "MHRENT", "20036", ""],    ["5 Planks Pl", "Commerce City", "CO", "80022", "US"]),
    vendor(5_511_037, ["Colorado Testing Laboratories", "CTL", "000815", "84-0577215"], ["22 Proctor St", "Lakewood", "CO", "80228", "US"]),
    inactive(vendor(5_511_038, ["Bankrupt Concrete Corp", "BANKR", "20038", ""],  ["0 Closed Rd", "Pueblo", "CO", "81001", "US"])),
    inactive(vendor(5_511_039, ["Acme Steel (old)", "ACMEOLD", "20039", "84-1029384"], ["4100 Brighton Blvd", "Denver", "CO", "80216", "US"])),
    inactive(vendor(5_511_040, ["Retired Painters Guild", "RETIRED", "", ""],     ["8 Ladder St", "Denver", "CO", "80219", "US"])),
];

/// Id, code, name and base type of each cost type.
#[rustfmt::skip]
pub const COST_TYPES: [(i64, &str, &str, &str); 5] = [
    (91_820, "L", "Labor",      "labor"),
    (91_821, "M", "Materials",  "materials"),
    (91_822, "S", "Commitment", "commitment"),
    (91_823, "E", "Equipment",  "equipment"),
    (91_824, "O", "Other",      "other"),
];

/// Full code, name, and the cost types that each project's WBS joins it with.
#[rustfmt::skip]
pub const COST_CODES: [(&str, &str, &str); 18] = [
    ("01-500", "Temporary Facilities",       "LMEO"),
    ("01-540", "Scaffolding",                "MSE"),
    ("02-300", "Earthwork",                  "LSE"),
    ("03-200", "Concrete Reinforcement",     "LMS"),
    ("03-300", "Cast-in-Place Concrete",     "LMS"),
    ("04-200", "Unit Masonry",               "LMS"),
    ("05-120", "Structural Steel",           "LMS"),
    ("06-400", "Architectural Woodwork",     "MS"),
    ("07-500", "Membrane Roofing",           "MS"),
    ("08-800", "Glazing",                    "MS"),
    ("09-250", "Gypsum Board",               "LMS"),
    ("09-300", "Tile and Terrazzo",          "MS"),
    ("14-200", "Elevators",                  "S"),
    ("15-400", "Plumbing",                   "MS"),
    ("15-700", "Heating and Cooling",        "MS"),
    ("16-100", "Electrical",                 "MS"),
    ("32-900", "Planting",                   "MS"),
    (UNMAPPED_COST_CODE, "Owner Allowance",  "O"),
];

/// Id, code and name of the one sub job, and the full code and cost types that are its own.
pub const SUB_JOB: (i64, &str, &str, &str, &str) =
    (4_411_001, "SJ-01", "North clarifier", "03-300", "M");

pub(super) const UNITS: [&str; 14] = [
    "ea", "ls", "hr", "day", "mo", "lf", "sf", "sy", "cy", "ton", "lb", "gal", "m", "m2",
];

/// Id, code, description and rate in per cent.
#[rustfmt::skip]
pub(super) const TAX_CODES: [(i64, &str, &str, &str); 4] = [
    (61_001, "CO-DEN", "Denver sales tax",   "8.81"),
    (61_002, "CO-FTC", "Fort Collins tax",   "7.55"),
    (61_003, "GST",    "Goods and services", "5"),
    (61_004, "EXEMPT", "Exempt",             "0"),
];

/// One line. The amount is empty where it is quantity × unit cost.
pub(super) struct LineRow {
    pub code: &'static str,
    pub cost_type: &'static str,
    pub text: &'static str,
    pub quantity: &'static str,
    pub unit: &'static str,
    pub unit_cost: &'static str,
    pub amount: &'static str,
}

const fn unit(
    [code, cost_type, text]: [&'static str; 3],
    [quantity, unit, unit_cost]: [&'static str; 3],
) -> LineRow {
    LineRow {
        code,
        cost_type,
        text,
        quantity,
        unit,
        unit_cost,
        amount: "",
    }
}

const fn lump([code, cost_type, text]: [&'static str; 3], amount: &'static str) -> LineRow {
    LineRow {
        code,
        cost_type,
        text,
        quantity: "1",
        unit: "ls",
        unit_cost: amount,
        amount,
    }
}

/// One contract; a purchase order when its number begins with `PO`. `project` counts from 0.
pub(super) struct ContractRow {
    pub id: i64,
    pub project: usize,
    pub number: &'static str,
    pub title: &'static str,
    pub vendor: i64,
    pub status: &'static str,
    pub method: &'static str,
    pub retainage: &'static str,
    /// Of its creation; it was last changed two days later.
    pub date: &'static str,
    pub lines: &'static [LineRow],
}

const fn contract(
    (id, project, vendor): (i64, usize, i64),
    [number, title, status, date]: [&'static str; 4],
    lines: &'static [LineRow],
) -> ContractRow {
    ContractRow {
        id,
        project,
        number,
        title,
        vendor,
        status,
        method: "unit",
        retainage: "0.0",
        date,
        lines,
    }
}

const fn by_amount(row: ContractRow) -> ContractRow {
    ContractRow {
        method: "amount",
        ..row
    }
}

const fn retaining(retainage: &'static str, row: ContractRow) -> ContractRow {
    ContractRow { retainage, ..row }
}

#[rustfmt::skip]
pub(super) const CONTRACTS: [ContractRow; 31] = [
    // Union Station North Tower
    contract((9_930_001, 0, 5_511_015), ["PO-24101-001", "Rebar, foundations to level 4", "Approved", "2026-11-02"], &[
        unit(["03-200", "M", "#5 rebar, cut and bent"], ["500", "lf", "25.00"]),
        unit(["03-200", "M", "#8 rebar, cut and bent"], ["1250.5", "lf", "31.4"]),
        unit(["03-200", "M", "Couplers"], ["240", "ea", "18.75"]),
    ]),
    contract((9_930_002, 0, 5_511_003), ["PO-24101-002", "Ready-mix, 5000 psi", "Approved", "2026-11-03"], &[
        unit(["03-300", "M", "5000 psi mix, delivered"], ["820", "cy", "187.50"]),
        unit(["03-300", "M", "Pump truck"], ["14", "day", "1450.00"]),
        lump(["03-300", "M", "Winter service, no charge"], "0.00"),
    ]),
    contract((9_930_003, 0, 5_511_035), ["PO-24101-003", "Scaffold hire, east face", "Approved", "2026-11-04"], &[
        LineRow { code: "01-540", cost_type: "E", text: "Three bays, rounded to the quote", quantity: "3", unit: "mo", unit_cost: "33.33", amount: "100.00" },
        unit(["01-540", "E", "Erect and strike"], ["2", "ea", "4200"]),
    ]),
    contract((9_930_004, 0, 5_511_009), ["PO-24101-004", "Curtain wall units", "Submitted", "2026-11-05"], &[
        unit(["08-800", "M", "Unit type A"], ["96", "ea", "2310.00"]),
    ]),
    contract((9_930_005, 0, 5_511_029), ["PO-24101-005", "Site kitchen\r\nfirst quarter", "Draft", "2026-11-06"], &[
        unit(["01-500", "O", "Meals"], ["900", "ea", "11.95"]),
    ]),
    contract((9_930_006, 0, 5_511_012), ["PO-24101-006", "Allowance: owner's art lighting", "Approved", "2026-11-06"], &[
        lump([UNMAPPED_COST_CODE, "O", "Art lighting allowance"], "18500.00"),
    ]),
    by_amount(retaining("10.0", contract((9_940_001, 0, 5_511_001), ["SC-24101-001", "Structural steel", "Approved", "2026-11-02"], &[
        lump(["05-120", "S", "Shop drawings"], "42500.00"),
        lump(["05-120", "S", "Fabricate and deliver"], "1385000.00"),
        lump(["05-120", "S", "Erect"], "612750.50"),
    ]))),
    by_amount(contract((9_940_002, 0, 5_511_019), ["SC-24101-002", "Elevators 1-4", "Out For Signature", "2026-11-09"], &[
        lump(["14-200", "S", "Four traction elevators"], "1140000.00"),
    ])),
    by_amount(contract((9_940_003, 0, 5_511_020), ["SC-24101-003", "Tower crane and rigging", "Approved", "2026-11-09"], &[
        lump(["01-500", "E", "Mobilise"], "38000.00"),
        lump(["01-500", "E", "Crane hire, 14 months"], "406000.00"),
    ])),
    by_amount(contract((9_940_004, 0, 5_511_025), ["SC-24101-004", "<img src=x onerror=alert(2)>", "Approved", "2026-11-10"], &[
        lump(["01-500", "O", "<script>alert('line')</script>"], "1250.00"),
    ])),
    // St. Anne's Hospital Wing C
    contract((9_930_011, 1, 5_511_013), ["PO-25014-001", "Air handlers", "Approved", "2026-11-03"], &[
        unit(["15-700", "M", "AHU-1 to AHU-6"], ["6", "ea", "38450.00"]),
        unit(["15-700", "M", "Spare filters"], ["72", "ea", "41.6250"]),
    ]),
    contract((9_930_012, 1, 5_511_037), ["PO-25014-002", "Concrete testing", "Received", "2026-11-04"], &[
        unit(["03-300", "M", "Cylinders"], ["180", "ea", "22.50"]),
    ]),
    contract((9_930_013, 1, 5_511_008), ["PO-25014-003", "Nurse stations", "Approved", "2026-11-10"], &[
        unit(["06-400", "M", "Station casework"], ["9", "ea", "12840.00"]),
        unit(["06-400", "M", "Solid surface tops"], ["212.75", "sf", "96.00"]),
    ]),
    by_amount(retaining("5.0", contract((9_940_011, 1, 5_511_016), ["SC-25014-001", "Medical gas and plumbing", "Approved", "2026-11-05"], &[
        lump(["15-400", "S", "Underground"], "188000.00"),
        lump(["15-400", "S", "Rough-in"], "421300.00"),
        lump(["15-400", "S", "Fixtures and trim"], "97450.25"),
    ]))),
    by_amount(contract((9_940_012, 1, 5_511_028), ["SC-25014-002", "Mechanical package", "Approved", "2026-11-11"], &[
        lump(["15-700", "S", "Ductwork"], "733900.00"),
        lump(["15-700", "S", "Controls"], "264000.00"),
    ])),
    by_amount(contract((9_940_013, 1, 5_511_011), ["SC-25014-003", "Fire sprinklers", "Void", "2026-11-06"], &[
        lump(["15-400", "S", "Sprinklers"], "155000.00"),
    ])),
    by_amount(contract((9_940_014, 1, 5_511_006), ["SC-25014-004", "Drywall and ceilings", "Draft", "2026-11-12"], &[
        lump(["09-250", "S", "Board and finish"], "389200.00"),
    ])),
    // Cherry Creek K-8 School
    contract((9_930_021, 2, 5_511_014), ["PO-25027-001", "Face brick", "Approved", "2026-11-04"], &[
        unit(["04-200", "M", "Modular brick"], ["64000", "ea", "0.8125"]),
        unit(["04-200", "M", "Mortar"], ["310", "ea", "14.10"]),
    ]),
    contract((9_930_022, 2, 5_511_018), ["PO-25027-002", "Trees and shrubs", "Processing", "2026-11-12"], &[
        unit(["32-900", "M", "Hackberry, 2.5 in"], ["38", "ea", "415.00"]),
    ]),
    contract((9_930_023, 2, 5_511_030), ["PO-25027-003", "Site services ☀️", "Approved", "2026-11-13"], &[
        unit(["01-500", "M", "Toilets 🚽, serviced"], ["26", "mo", "135.00"]),
    ]),
    by_amount(contract((9_940_021, 2, 5_511_010), ["SC-25027-001", "Roofing", "Complete", "2026-11-03"], &[
        lump(["07-500", "S", "Membrane roof"], "518400.00"),
    ])),
    by_amount(retaining("10.0", contract((9_940_022, 2, 5_511_017), ["SC-25027-002", "Tile and terrazzo", "Approved", "2026-11-13"], &[
        lump(["09-300", "S", "Terrazzo floors"], "202115.00"),
        lump(["09-300", "S", "Wall tile"], "88340.75"),
    ]))),
    contract((9_930_024, 2, 5_511_027), ["PO-25027-004", "=HYPERLINK(\"http://x.example\")", "Closed", "2026-11-05"], &[
        unit(["01-500", "M", "+1 formula"], ["1", "ea", "75.00"]),
    ]),
    // Bow River Logistics Park, in Canadian dollars
    contract((4_294_970_001, 3, 5_511_021), ["PO-26003-001", "Precast wall panels", "Approved", "2026-11-05"], &[
        unit(["03-300", "M", "Insulated panel, 3.0 m"], ["412", "ea", "1875.00"]),
        unit(["03-300", "M", "Delivery"], ["52", "ea", "640.00"]),
    ]),
    by_amount(contract((4_294_970_002, 3, 5_511_022), ["SC-26003-001", "Asphalt paving", "Approved", "2026-11-16"], &[
        lump(["02-300", "S", "Base course"], "298000.00"),
        lump(["02-300", "S", "Surface course"], "344500.00"),
    ])),
    by_amount(contract((4_294_970_003, 3, 5_511_005), ["SC-26003-002", "Électricité, phase 1", "Out For Bid", "2026-11-16"], &[
        lump(["16-100", "S", "Distribution"], "415000.00"),
    ])),
    // Mesa Water Treatment Plant
    contract((9_930_031, 4, 5_511_024), ["PO-26011-001", "Pumps and valves", "Approved", "2026-11-06"], &[
        unit(["15-400", "M", "Vertical turbine pump"], ["4", "ea", "64250.00"]),
        unit(["15-400", "M", "Butterfly valve, 24 in"], ["18", "ea", "5120.00"]),
        unit(["15-400", "M", "Gaskets"], ["200", "ea", "3.333"]),
    ]),
    contract((9_930_032, 4, 5_511_023), ["PO-26011-002", "Flow meters", "Approved", "2026-11-17"], &[
        unit(["16-100", "M", "Magnetic flow meter"], ["22", "ea", "4890.00"]),
    ]),
    by_amount(contract((9_940_031, 4, 562_949_953_421_377), ["SC-26011-001", "Drilled piers", "Approved", "2026-11-09"], &[
        lump(["02-300", "S", "146 piers"], "1022000.00"),
    ])),
    by_amount(retaining("10.0", contract((9_940_032, 4, 5_511_007), ["SC-26011-002", "Mass excavation", "Approved", "2026-11-17"], &[
        lump(["02-300", "S", "Cut and haul"], "877600.00"),
        lump(["02-300", "S", "Dewatering"], "143250.00"),
    ]))),
    by_amount(contract((9_940_033, 4, 5_511_004), ["SC-26011-003", "Façade, control building", "Terminated", "2026-11-10"], &[
        lump(["08-800", "S", "Façade"], "233000.00"),
    ])),
];
