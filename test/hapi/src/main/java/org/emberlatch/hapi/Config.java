package org.emberlatch.hapi;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.IDaoRegistry;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.binary.api.IBinaryStorageSvc;
import ca.uhn.fhir.jpa.binstore.MemoryBinaryStorageSvcImpl;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.config.util.ResourceCountCacheUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.DaoRegistryResourceSupportedSvc;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import ca.uhn.fhir.jpa.util.ResourceCountCache;
import ca.uhn.fhir.rest.api.IResourceSupportedSvc;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;
import org.springframework.transaction.annotation.EnableTransactionManagement;

/** The parts of a JPA server with an H2 database in memory, and HAPI's own defaults. */
@Configuration
@EnableTransactionManagement
@Import({JpaR4Config.class, JpaBatch2Config.class, Batch2JobsConfig.class, ThreadPoolFactoryConfig.class,
	SubscriptionSubmitterConfig.class, SubscriptionChannelConfig.class})
public class Config {
	@Bean
	public JpaStorageSettings storageSettings() {
		var s = new JpaStorageSettings();
		// Resources keep the ids that they are loaded with, plain numbers among them, and
		// in any order.
		s.setResourceClientIdStrategy(JpaStorageSettings.ClientIdStrategyEnum.ANY);
		s.setEnforceReferentialIntegrityOnWrite(false);
		s.setAutoCreatePlaceholderReferenceTargets(false);
		s.setAllowExternalReferences(true);
		return s;
	}

	@Bean
	public PartitionSettings partitionSettings() {
		return new PartitionSettings();
	}

	@Bean
	public SubscriptionSettings subscriptionSettings() {
		return new SubscriptionSettings();
	}

	@Bean
	public DataSource dataSource() {
		var d = new BasicDataSource();
		d.setUrl("jdbc:h2:mem:hapi;DB_CLOSE_DELAY=-1");
		d.setMaxTotal(40);
		return d;
	}

	@Bean
	@Primary
	public LocalContainerEntityManagerFactoryBean entityManagerFactory(
			DataSource source, ConfigurableListableBeanFactory factory, FhirContext context, JpaStorageSettings settings) {
		var e = HapiEntityManagerFactoryUtil.newEntityManagerFactory(factory, context, settings);
		e.setPersistenceUnitName("HAPI_PU");
		e.setDataSource(source);
		var p = new Properties();
		p.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
		p.put("hibernate.hbm2ddl.auto", "create");
		p.put("hibernate.jdbc.batch_size", "50");
		p.put("hibernate.search.enabled", "false");
		e.setJpaProperties(p);
		return e;
	}

	@Bean
	@Primary
	public JpaTransactionManager transactionManager(EntityManagerFactory factory) {
		return new JpaTransactionManager(factory);
	}

	@Bean
	public DatabaseBackedPagingProvider databaseBackedPagingProvider() {
		var p = new DatabaseBackedPagingProvider();
		p.setDefaultPageSize(20);
		p.setMaximumPageSize(1000);
		return p;
	}

	@Bean
	public IResourceSupportedSvc resourceSupported(IDaoRegistry registry) {
		return new DaoRegistryResourceSupportedSvc(registry);
	}

	@Bean(name = "myResourceCountsCache")
	public ResourceCountCache resourceCounts(IFhirSystemDao<?, ?> dao) {
		return ResourceCountCacheUtil.newResourceCountCache(dao);
	}

	@Bean
	public IBinaryStorageSvc binaryStorage() {
		return new MemoryBinaryStorageSvcImpl();
	}
}
