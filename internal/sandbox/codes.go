package sandbox

// condition is a health problem with what comes with it.
type condition struct {
	snomed, icd10, display string
	medicine               medicine
	observations           []string // laboratory tests that are off
}

type medicine struct{ rxnorm, display, dose string }

var conditions = map[string]condition{
	"diabetes":      {"44054006", "E11.9", "Type 2 diabetes mellitus", medicine{"860975", "Metformin hydrochloride 500 MG extended release oral tablet", "One tablet twice a day with meals"}, []string{"4548-4", "2339-0"}},
	"hypertension":  {"59621000", "I10", "Essential hypertension", medicine{"314076", "Lisinopril 10 MG oral tablet", "One tablet every morning"}, nil},
	"lipids":        {"55822004", "E78.5", "Hyperlipidemia", medicine{"617312", "Atorvastatin 20 MG oral tablet", "One tablet every evening"}, []string{"2093-3", "13457-7"}},
	"asthma":        {"195967001", "J45.909", "Asthma", medicine{"2123111", "Albuterol 0.09 MG/ACTUAT metered dose inhaler", "Two puffs when short of breath"}, nil},
	"eczema":        {"24079001", "L20.9", "Atopic dermatitis", medicine{"106258", "Hydrocortisone 10 MG/ML topical cream", "A thin layer twice a day"}, nil},
	"heart-failure": {"42343007", "I50.9", "Congestive heart failure", medicine{"310429", "Furosemide 20 MG oral tablet", "One tablet every morning"}, nil},
	"kidney":        {"433144002", "N18.3", "Chronic kidney disease stage 3", medicine{"314077", "Lisinopril 20 MG oral tablet", "One tablet every morning"}, []string{"2160-0"}},
	"migraine":      {"37796009", "G43.909", "Migraine", medicine{"313161", "Sumatriptan 50 MG oral tablet", "One tablet at the beginning of an attack"}, nil},
	"back-pain":     {"278860009", "M54.50", "Chronic low back pain", medicine{"310965", "Ibuprofen 200 MG oral tablet", "One or two tablets when needed, with food"}, nil},
	"depression":    {"370143000", "F33.9", "Major depressive disorder", medicine{"312938", "Sertraline 100 MG oral tablet", "One tablet every morning"}, nil},
	"hypothyroid":   {"40930008", "E03.9", "Hypothyroidism", medicine{"966247", "Levothyroxine sodium 0.05 MG oral tablet", "One tablet before breakfast"}, []string{"3016-3"}},
}

// measure is a laboratory test or a vital sign.
type measure struct {
	loinc, display, unit, code string
	low, high                  float64 // reference range; 0: none
	usual, spread              float64
	off                        float64 // how far above the usual when the condition is there
	digits                     int
}

var labs = []measure{
	{"4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", "%", 4.0, 5.6, 5.3, 0.2, 2.1, 1},
	{"2339-0", "Glucose [Mass/volume] in Blood", "mg/dL", "mg/dL", 70, 99, 90, 7, 55, 0},
	{"2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", "mg/dL", 0.6, 1.2, 0.9, 0.1, 0.7, 2},
	{"2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "mg/dL", "mg/dL", 125, 200, 178, 12, 55, 0},
	{"2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "mg/dL", "mg/dL", 40, 80, 54, 5, 0, 0},
	{"13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation", "mg/dL", "mg/dL", 50, 130, 104, 11, 50, 0},
	{"2571-8", "Triglyceride [Mass/volume] in Serum or Plasma", "mg/dL", "mg/dL", 40, 150, 115, 18, 0, 0},
	{"718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", "g/dL", 12, 16.5, 14.1, 0.5, 0, 1},
	{"3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "mIU/L", "m[IU]/L", 0.4, 4.5, 2.1, 0.4, 5.0, 2},
	{"2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", "mmol/L", 3.5, 5.1, 4.3, 0.2, 0, 1},
}

var vaccines = []struct {
	cvx, display string
	age          int // youngest age in years
	every        int // years between doses
}{
	{"140", "Influenza, seasonal, injectable, preservative free", 1, 1},
	{"115", "Tdap", 11, 10},
	{"03", "MMR", 1, 40},
	{"21", "Varicella", 1, 40},
	{"187", "Zoster vaccine recombinant", 50, 40},
	{"133", "Pneumococcal conjugate vaccine, 13-valent", 65, 40},
}

var allergies = []struct{ snomed, display, category, reactionCode, reaction string }{
	{"91936005", "Allergy to penicillin", "medication", "271807003", "Eruption of skin"},
	{"91935009", "Allergy to peanut", "food", "39579001", "Anaphylaxis"},
	{"300913006", "Allergy to shellfish", "food", "126485001", "Urticaria"},
	{"418689008", "Allergy to grass pollen", "environment", "76067001", "Sneezing"},
}

const (
	systemLOINC    = "http://loinc.org"
	systemSNOMED   = "http://snomed.info/sct"
	systemICD10    = "http://hl7.org/fhir/sid/icd-10-cm"
	systemRxNorm   = "http://www.nlm.nih.gov/research/umls/rxnorm"
	systemCVX      = "http://hl7.org/fhir/sid/cvx"
	systemUCUM     = "http://unitsofmeasure.org"
	systemCategory = "http://terminology.hl7.org/CodeSystem/observation-category"
	profileBase    = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
)
