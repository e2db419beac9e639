// Asks by gSOAP, with the classes that wsdl2h and soapcpp2 made from the published WSDL (prefixes from a type map), and
// writes what it sends to the file that the environment names.
#include "BastjanstInformationInterfaceSoapBinding.nsmap"
#include "soapBastjanstInformationInterfaceSoapBindingProxy.h"

#include <fstream>
#include <iostream>

using std::string;

static std::ofstream sent;
static int (*to_gateway)(struct soap *, const char *, size_t);

static int keep_and_send(struct soap *soap, const char *bytes, size_t length) {
    sent.write(bytes, static_cast<std::streamsize>(length));
    return to_gateway(soap, bytes, length);
}

static void tell(const string &name, const string &value) { std::cout << name << '\t' << value << '\n'; }

static void hex(const string &name, const string &bytes) {
    string digits;
    for (unsigned char byte : bytes) {
        digits += "0123456789abcdef"[byte >> 4];
        digits += "0123456789abcdef"[byte & 15];
    }
    tell(name, digits);
}

static string error(const ssbt__Error *error) {
    if (!error) return "";
    return (error->kalla == ssbt__KallaEnum__SSBT ? "SSBT " : "BT ") + error->felkod;
}

#if VERSION == 1
static void answering(struct soap *soap, const string &name, const ssbt__Oversikt *oversikt) {
    string all;
    for (auto *one : oversikt->svarande)
        all += (all.empty() ? "" : ", ") + one->organisation + " " + soap_ssbt__Bedomning2s(soap, one->bedomning);
    tell(name, all);
}

static void typed(struct soap *soap, const ssbt__SammansattBastjanstSvarData *data) {
    answering(soap, "svarande AF", data->AF->oversikt);
    answering(soap, "svarande CSN", data->CSN->oversikt);
    answering(soap, "svarande FK", data->FK->oversikt);
    answering(soap, "svarande SKV", data->SKV->oversikt);
    answering(soap, "svarande SO", data->SO->oversikt);
    answering(soap, "svarande TNS", data->TNS->oversikt);
    answering(soap, "svarande MIV", data->MIV->oversikt);
    auto &persons = data->CSN->union_CsnSvar.data->csn__CSNSvar->Personer.__CSNSvar_Personer_sequence;
    auto *arende = persons.front().Person->Studiemedel.Arenden->Arende.front();
    tell("arende", soap_csntyper__status2s(soap, arende->status));
    auto *lefi = data->FK->union_ForsakringskassanSvar.data;
    auto *payment = lefi->formansinformation->utbetalningsuppgift.front();
    tell("utbetald", *payment->datum);
    tell("utbetalt", *payment->nettobelopp->summa);
    auto *line = lefi->utbetalningar.front()->utbetalningsrader.front();
    tell("pension", soap_lefi__LefiPmFormanGruppKod2s(soap, line->formansgrupp->kod));
    tell("tomma", *lefi->tomma);
    auto *skv = data->SKV->union_SkatteverketSvar.data;
    tell("skattekonto", *skv->skattekonto->union_SkattekontoSvar.data->utbetaltBelopp);
    tell("individuppgifter", error(skv->individuppgifter->union_IndividuppgifterSvar.error));
}
#else
static string bytes(const xsd__base64Binary &value) { return string(value.__ptr, value.__ptr + value.__size); }
#endif

static void tested(const string &kod, const ssbt__TestSvar *part) {
    if (part)
        tell("testa " + kod, (part->anropad ? "true" : "false") + (part->error ? " " + error(part->error) : ""));
}

// gSOAP makes a union of data and error.
#define SECTION(kod, type)                                                                                   \
    tell(#kod, data->kod->__union_##type == SOAP_UNION__ssbt__union_##type##_data                             \
                   ? "DATA"                                                                                   \
                   : error(data->kod->union_##type.error))

static ssbt__SammansattBastjanstFraga question(struct soap *soap, const string &organisationsnummer,
                                               const string &arendeidentitet) {
    auto *ingivare = soap_new_req_ssbt__Ingivare(soap, organisationsnummer, "Testkommunen", "test01");
    auto *tidsperiod = soap_new_req_ssbt__Tidsperiod(soap, getenv("FROM"), getenv("TOM"));
    auto *general = soap_new_req_ssbt__GenerellaFrageparametrar(
        soap, true, ingivare, "191212121212", arendeidentitet, tidsperiod, "Handläggning av ekonomiskt bistånd",
        "11 kap. 11 § SoL");
    static string korrelationsid = "fråga <&> 4711";
    general->korrelationsid = &korrelationsid;

    auto *fk = soap_new_req_ssbt__Forsakringskassan(soap, true);
#if VERSION == 1
    fk->fraga = soap_new_req_ssbt__ForsakringskassanFraga(soap, "TEST-01");
    fk->fraga->formansinformation = {lefi__LefiFkFormanGruppKod__FK_x003aSJP};
    fk->fraga->preliminaraUtbetalningar = {lefi__LefiExternFormanGruppKod__PM_x003aAP};
    fk->fraga->utbetalningar = {lefi__LefiExternFormanGruppKod__FK_x003aSJP, lefi__LefiExternFormanGruppKod__PM_x003aAP};
#else
    static string json = getenv("LEFI");
    xsd__base64Binary lefi;
    lefi.soap_default(soap);
    lefi.__ptr = reinterpret_cast<unsigned char *>(json.data());
    lefi.__size = static_cast<int>(json.size());
    fk->fraga = soap_new_req_ssbt__ForsakringskassanFraga(soap, "TEST-01", lefi);
#endif
    auto *skv = soap_new_req_ssbt__Skatteverket(soap, true);
#if VERSION != 10
    skv->fraga = soap_new_req_ssbt__SkatteverketFraga(soap, std::vector<int>{2025}, true, true, true, true, true);
#endif

    ssbt__SammansattBastjanstFraga question;
    question.soap_default(soap);
    question.generellaFrageparametrar = general;
    question.specifikaFrageparametrar = soap_new_req_ssbt__SpecifikaFrageparametrar(
        soap, soap_new_req_ssbt__Arbetsformedlingen(soap, true), soap_new_req_ssbt__Csn(soap, true), fk, skv,
        soap_new_req_ssbt__AkassornasSamorganisation(soap, true), soap_new_req_ssbt__Transportstyrelsen(soap, true),
        soap_new_req_ssbt__Migrationsverket(soap, true));
    return question;
}

static int failed(struct soap *soap) {
    soap_print_fault(soap, stderr);
    return 1;
}

int main() {
    struct soap *soap = soap_new1(SOAP_C_UTFSTRING);  // strings are UTF-8; gSOAP takes them for ISO-8859-1 otherwise
    soap->connect_timeout = soap->recv_timeout = soap->send_timeout = 20;
    sent.open(getenv("SENT"), std::ios::binary);
    to_gateway = soap->fsend;
    soap->fsend = keep_and_send;
    soap_ssl_init();
    if (soap_ssl_client_context(soap, SOAP_SSL_DEFAULT, getenv("CERTIFICATE_AND_KEY"), nullptr, getenv("CA"), nullptr,
                                nullptr))
        return failed(soap);
    BastjanstInformationInterfaceSoapBindingProxy ssbtek(soap, getenv("ADDRESS"));

    ssbt__SammansattBastjanstTestFraga nothing;
    ssbt__SammansattBastjanstTestSvar test;
    if (ssbtek.testaBastjanstInformation(&nothing, test)) return failed(soap);
    tested("AF", test.AF);
    tested("CSN", test.CSN);
    tested("FK", test.FK);
    tested("SKV", test.SKV);
    tested("SO", test.SO);
    tested("TNS", test.TNS);
    tested("MIV", test.MIV);

    auto asked = question(soap, "162021004748", "TEST-1");
    ssbt__SammansattBastjanstSvar answer;
    if (ssbtek.hamtaBastjanstInformation(&asked, answer)) return failed(soap);
    auto *data = answer.svarsdata;
    SECTION(AF, ArbetsformedlingenSvar);
    SECTION(CSN, CsnSvar);
    SECTION(FK, ForsakringskassanSvar);
#if VERSION == 11
    tell("SKV", data->SKV->error ? error(data->SKV->error) : "DATA");
#else
    SECTION(SKV, SkatteverketSvar);
#endif
    SECTION(SO, AkassornasSamorganisationSvar);
    SECTION(TNS, TransportstyrelsenSvar);
    SECTION(MIV, MigrationsverketSvar);
    tell("syfte", answer.fraga->generellaFrageparametrar->syfte);
    tell("korrelationsid", *answer.korrelationsid);
    tell("person", data->AF->union_ArbetsformedlingenSvar.data->Svar->IdentitetsbeteckningFysiskPerson);
    auto &funds = data->SO->union_AkassornasSamorganisationSvar.data->ArbetsloshetsersattningLista;
    tell("belopp", funds.Arbetsloshetsersattning.back().Utbetalningar.back().NettoEfterAvdrag);
    string fordon, tillstand;
    for (auto *one : data->TNS->union_TransportstyrelsenSvar.data->fordonsinnehav->fordon)
        fordon += (fordon.empty() ? "" : " ") + one->regnr;
    tell("fordon", fordon);
    for (auto *one : data->MIV->union_MigrationsverketSvar.data->response->svarCollection->svar)
        tillstand += (tillstand.empty() ? "" : " ") + string(soap_miv__giltighetstid2s(soap, *one->giltighetstid));
    tell("tillstand", tillstand);
#if VERSION == 1
    typed(soap, data);
#else
    hex("csn", bytes(data->CSN->union_CsnSvar.data->svar));
    hex("lefi", bytes(data->FK->union_ForsakringskassanSvar.data->lefiJsonSvar));
#endif
#if VERSION == 11
    hex("skattekonto", bytes(*data->SKV->skattekonto->union_SkatteverketDelSvar.data));
    tell("individuppgifter", error(data->SKV->individuppgifter->union_SkatteverketDelSvar.error));
#elif VERSION == 10
    hex("skv", data->SKV->union_SkatteverketSvar.data->svar);
#endif

    asked = question(soap, "162021004748", string(32, 'X'));
    if (ssbtek.hamtaBastjanstInformation(&asked, answer)) return failed(soap);
    tell("fel", error(answer.svarsdata->CSN->union_CsnSvar.error));
#if VERSION == 1
    answering(soap, "svarande fel", answer.svarsdata->CSN->oversikt);
#endif

    asked = question(soap, "162120009994", "TEST-1");
    if (ssbtek.hamtaBastjanstInformation(&asked, answer)) {
        if (!soap->fault || !soap->fault->detail) return failed(soap);
        auto *fault = soap->fault->detail->ssbt__hamtaBastjanstInformationFault;
        if (!fault) return failed(soap);
        tell("felkod", fault->felkod);
        tell("felmeddelande", fault->felmeddelande.front());
    }
    ssbtek.destroy();
    return 0;
}
