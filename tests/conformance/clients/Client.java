// Asks by JAX-WS RI, with the classes that wsimport made from the published WSDL. Key stores come as -Djavax.net.ssl.*.
// The test puts the contract's package in PACKAGE's place and uncomments what is special to its version.
import java.io.PrintStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.ws.BindingProvider;
import javax.xml.ws.Holder;
import schemas.ubpservice.int014.GetUnemploymentBenefitPaymentResponseType.ArbetsloshetsersattningLista.*;
import PACKAGE.*;
import PACKAGE.Error;
/*1
import gateway.ssbtek.lefi_online._9.*;
1*/

public class Client {
  static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  static void tell(String name, String value) {
    OUT.print(name + "\t" + value + "\n");
  }

  static void hex(String name, byte[] value) {
    tell(name, HexFormat.of().formatHex(value));
  }

  static void section(String kod, Error error) {
    tell(kod, error == null ? "DATA" : error(error));
  }

  static void tested(String kod, Holder<TestSvar> part) {
    tell("testa " + kod, (part.value.isAnropad() + " " + error(part.value.getError())).trim());
  }

  static String error(Error error) {
    return error == null ? "" : error.getKalla() + " " + error.getFelkod();
  }

  /*1
  static void answering(String name, Oversikt oversikt) {
    tell(name, oversikt.getSvarande().stream()
        .map(one -> one.getOrganisation() + " " + one.getBedomning()).collect(Collectors.joining(", ")));
  }

  static void typed(SammansattBastjanstSvarData data) {
    answering("svarande AF", data.getAF().getOversikt());
    answering("svarande CSN", data.getCSN().getOversikt());
    answering("svarande FK", data.getFK().getOversikt());
    answering("svarande SKV", data.getSKV().getOversikt());
    answering("svarande SO", data.getSO().getOversikt());
    answering("svarande TNS", data.getTNS().getOversikt());
    answering("svarande MIV", data.getMIV().getOversikt());
    tell("arende", data.getCSN().getData().getCSNSvar().getPersoner().getPerson().get(0)
        .getStudiemedel().getArenden().getArende().get(0).getStatus());
    LefiExternFormansinformationSvar lefi = data.getFK().getData();
    LefiUtbetalningUppgift payment = lefi.getFormansinformation().getUtbetalningsuppgift().get(0);
    tell("utbetald", payment.getDatum());
    tell("utbetalt", payment.getNettobelopp().getSumma().toPlainString());
    tell("pension", lefi.getUtbetalningar().get(0).getUtbetalningsrader().get(0).getFormansgrupp().getKod().value());
    tell("tomma", String.join(" ", lefi.getTomma()));
    tell("skattekonto", data.getSKV().getData().getSkattekonto().getData().getUtbetaltBelopp());
    tell("individuppgifter", error(data.getSKV().getData().getIndividuppgifter().getError()));
  }
  1*/

  static GenerellaFrageparametrar general(String organisationsnummer, String arendeidentitet) throws Exception {
    Ingivare ingivare = new Ingivare();
    ingivare.setOrganisationsnummer(organisationsnummer);
    ingivare.setNamn("Testkommunen");
    ingivare.setHandlaggare("test01");
    Tidsperiod tidsperiod = new Tidsperiod();
    tidsperiod.setFromDatum(DatatypeFactory.newInstance().newXMLGregorianCalendar(System.getenv("FROM")));
    tidsperiod.setTomDatum(DatatypeFactory.newInstance().newXMLGregorianCalendar(System.getenv("TOM")));
    GenerellaFrageparametrar general = new GenerellaFrageparametrar();
    general.setKorrelationsid("fråga <&> 4711");
    general.setFraganSkallInkluderasISvaret(true);
    general.setIngivare(ingivare);
    general.setPersonidentitet("191212121212");
    general.setArendeidentitet(arendeidentitet);
    general.setTidsperiod(tidsperiod);
    general.setSyfte("Handläggning av ekonomiskt bistånd");
    general.setLagtext("11 kap. 11 § SoL");
    return general;
  }

  static SpecifikaFrageparametrar specific() {
    ForsakringskassanFraga lefi = new ForsakringskassanFraga();
    lefi.setAktorsid("TEST-01");
    /*10 11
    lefi.setLefiJsonFraga(System.getenv("LEFI").getBytes(StandardCharsets.UTF_8));
    10 11*/
    /*1
    lefi.getFormansinformation().add(LefiFkFormanGruppKod.FK_SJP);
    lefi.getPreliminaraUtbetalningar().add(LefiExternFormanGruppKod.PM_AP);
    lefi.getUtbetalningar().add(LefiExternFormanGruppKod.FK_SJP);
    lefi.getUtbetalningar().add(LefiExternFormanGruppKod.PM_AP);
    1*/
    SpecifikaFrageparametrar specific = new SpecifikaFrageparametrar();
    specific.setAF(new Arbetsformedlingen());
    specific.getAF().setInkludera(true);
    specific.setCSN(new Csn());
    specific.getCSN().setInkludera(true);
    specific.setFK(new Forsakringskassan());
    specific.getFK().setInkludera(true);
    specific.getFK().setFraga(lefi);
    specific.setSKV(new Skatteverket());
    specific.getSKV().setInkludera(true);
    /*11 1
    SkatteverketFraga skv = new SkatteverketFraga();
    skv.getAr().add(2025);
    skv.setForetagsinformation(true);
    skv.setIndividuppgifter(true);
    skv.setSkattekonto(true);
    skv.setSkatteuppgifter(true);
    skv.setBeskattningsbilagor(true);
    specific.getSKV().setFraga(skv);
    11 1*/
    specific.setSO(new AkassornasSamorganisation());
    specific.getSO().setInkludera(true);
    specific.setTNS(new Transportstyrelsen());
    specific.getTNS().setInkludera(true);
    specific.setMIV(new Migrationsverket());
    specific.getMIV().setInkludera(true);
    return specific;
  }

  static Holder<TestSvar> part() {
    return new Holder<>();
  }

  public static void main(String[] arguments) throws Exception {
    URL wsdl = new URL(System.getenv("WSDL"));
    BastjanstInformationInterface ssbtek =
        new BastjanstInformationInterfaceService(wsdl).getBastjanstInformationInterfacePort();
    ((BindingProvider) ssbtek).getRequestContext()
        .put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, System.getenv("ADDRESS"));

    Holder<TestSvar> af = part(), csn = part(), fk = part(), skv = part(), so = part(), tns = part(), miv = part();
    ssbtek.testaBastjanstInformation(af, csn, fk, skv, so, tns, miv);
    tested("AF", af);
    tested("CSN", csn);
    tested("FK", fk);
    tested("SKV", skv);
    tested("SO", so);
    tested("TNS", tns);
    tested("MIV", miv);

    /*10 11
    Holder<SammansattBastjanstFragaOriginal> fraga = new Holder<>();
    10 11*/
    /*1
    Holder<SammansattBastjanstFraga> fraga = new Holder<>();
    1*/
    Holder<String> korrelationsid = new Holder<>();
    Holder<SammansattBastjanstSvarData> data = new Holder<>();
    ssbtek.hamtaBastjanstInformation(
        general("162021004748", "TEST-1"), specific(), fraga, new Holder<>(), korrelationsid, data);
    section("AF", data.value.getAF().getError());
    section("CSN", data.value.getCSN().getError());
    section("FK", data.value.getFK().getError());
    section("SKV", data.value.getSKV().getError());
    section("SO", data.value.getSO().getError());
    section("TNS", data.value.getTNS().getError());
    section("MIV", data.value.getMIV().getError());
    tell("syfte", fraga.value.getGenerellaFrageparametrar().getSyfte());
    tell("korrelationsid", korrelationsid.value);
    tell("person", data.value.getAF().getData().getSvar().getIdentitetsbeteckningFysiskPerson());
    List<Arbetsloshetsersattning> funds =
        data.value.getSO().getData().getArbetsloshetsersattningLista().getArbetsloshetsersattning();
    List<Arbetsloshetsersattning.Utbetalningar> payments = funds.get(funds.size() - 1).getUtbetalningar();
    tell("belopp", payments.get(payments.size() - 1).getNettoEfterAvdrag().toPlainString());
    tell("fordon", data.value.getTNS().getData().getFordonsinnehav().getFordon().stream()
        .map(fordon -> fordon.getRegnr()).collect(Collectors.joining(" ")));
    tell("tillstand", data.value.getMIV().getData().getResponse().getSvarCollection().getSvar().stream()
        .map(svar -> svar.getGiltighetstid().value()).collect(Collectors.joining(" ")));
    /*10 11
    hex("csn", data.value.getCSN().getData().getSvar());
    hex("lefi", data.value.getFK().getData().getLefiJsonSvar());
    10 11*/
    /*10
    hex("skv", data.value.getSKV().getData().getSvar().getBytes(StandardCharsets.UTF_8));
    10*/
    /*11
    hex("skattekonto", data.value.getSKV().getSkattekonto().getData());
    tell("individuppgifter", error(data.value.getSKV().getIndividuppgifter().getError()));
    11*/
    /*1
    typed(data.value);
    1*/

    ssbtek.hamtaBastjanstInformation(
        general("162021004748", "X".repeat(32)), specific(), fraga, new Holder<>(), korrelationsid, data);
    tell("fel", error(data.value.getCSN().getError()));
    /*1
    answering("svarande fel", data.value.getCSN().getOversikt());
    1*/

    try {
      ssbtek.hamtaBastjanstInformation(
          general("162120009994", "TEST-1"), specific(), fraga, new Holder<>(), korrelationsid, data);
    } catch (HamtaBastjanstInformationFault refused) {
      tell("felkod", refused.getFaultInfo().getFelkod());
      tell("felmeddelande", refused.getFaultInfo().getFelmeddelande().get(0));
    }
  }
}
